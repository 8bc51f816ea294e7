"""A scripted SIP caller: dials a real Asterisk, speaks recorded audio, hears the bot, keys digits, hangs up.

Used by the demo, the integration tests and the turn-taking measurement. Start with `Softphone`.
"""

from voicebot.softphone.call import SoftphoneCall
from voicebot.softphone.phone import Softphone
from voicebot.softphone.uac import CallFailed, Ended

__all__ = ["CallFailed", "Ended", "Softphone", "SoftphoneCall"]
