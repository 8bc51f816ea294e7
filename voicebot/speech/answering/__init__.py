"""Who answered: a person, or a machine; and when its beep is over."""

from voicebot.speech.answering.detector import AnswerDetector
from voicebot.speech.answering.events import SURE, Answerer, AnswerEvent, Beep, Judged, Why
from voicebot.speech.answering.rules import AnswerRules

__all__ = ["SURE", "AnswerDetector", "AnswerEvent", "AnswerRules", "Answerer", "Beep", "Judged", "Why"]
