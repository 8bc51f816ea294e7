"""A call under the control of a script: a method for each command of AGI."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from voicebot.agi import commands as steer
from voicebot.agi import media, speech
from voicebot.fastagi.deadlines import Deadlines
from voicebot.fastagi.exchange import COMMAND_S, Exchange, Wire


class AgiChannel(Exchange):
    """A call. Its methods raise:

    CallerHungUp   the caller or the connection is gone; what a command has `after` for still works while
                   Asterisk keeps the session: variables, the database, VERBOSE
    CommandFailed  Asterisk did not do it; the call goes on
    Refused        we do not send it (agi/command.py, agi/permissions.py)
    AgiError       no answer in time, or one that is none; the session is closed then

    One command runs at a time; others wait for their turn. A task that is cancelled while a prompt plays, or
    while keys are awaited, ends that at once; any other command goes on in Asterisk, its answer is dropped,
    and the next command waits for that. `permitted` are applications that `execute` may run besides the
    harmless ones.
    """

    def __init__(
        self,
        wire: Wire,
        *,
        command_s: float = COMMAND_S,
        began: Callable[[], None] | None = None,
        permitted: frozenset[str] = frozenset(),
        deadlines: Deadlines | None = None,
    ) -> None:
        super().__init__(wire, command_s=command_s, began=began, deadlines=deadlines)
        self._permitted = permitted

    async def answer(self) -> None:
        """Answer the call."""
        await self.ask(steer.Answer())

    async def hang_up(self, channel: str = "") -> None:
        """Hang up this call, or another channel by its name."""
        await self.ask(steer.Hangup(channel))

    async def status(self, channel: str = "") -> steer.ChannelState:
        """The state of this channel, or of another one."""
        return await self.ask(steer.ChannelStatus(channel))

    async def noop(self, text: str = "") -> None:
        """Do nothing."""
        await self.ask(steer.NoOp(text))

    async def verbose(self, text: str, level: int = 3) -> None:
        """Write to Asterisk's console."""
        await self.ask(steer.Verbose(text, level))

    async def execute(self, application: str, options: str = "") -> int:
        """Run an application of the dialplan that is harmless, or permitted."""
        return await self.ask(steer.Exec(application, options, self._permitted))

    async def gosub(
        self, context: str, extension: str = "s", priority: str = "1", argument: str = ""
    ) -> None:
        """Run a subroutine of the dialplan."""
        await self.ask(steer.Gosub(context, extension, priority, argument))

    async def asyncagi_break(self) -> None:
        """End AsyncAGI."""
        await self.ask(steer.AsyncAgiBreak())

    # Variables and the database

    async def set_variable(self, variable: str, value: str) -> None:
        """Set a variable of the channel."""
        await self.ask(steer.SetVariable(variable, value))

    async def set_variables(self, variables: Mapping[str, object]) -> None:
        """Set many, in their order: texts as they are, None as "", True as 1, False as 0."""
        await self.ask_all(
            [steer.SetVariable(variable, as_value(value)) for variable, value in variables.items()]
        )

    async def variable(self, name: str) -> str | None:
        """A variable, or a harmless function; None where it is not set."""
        return await self.ask(steer.GetVariable(name))

    async def evaluate(self, expression: str, channel: str = "") -> str | None:
        """An expression such as ${CALLERID(num)}, here or on another channel; None: no such channel."""
        return await self.ask(steer.GetFullVariable(expression, channel))

    async def database_get(self, family: str, key: str) -> str | None:
        return await self.ask(steer.DatabaseGet(family, key))

    async def database_put(self, family: str, key: str, value: str) -> None:
        await self.ask(steer.DatabasePut(family, key, value))

    async def database_del(self, family: str, key: str) -> bool:
        return await self.ask(steer.DatabaseDel(family, key))

    async def database_deltree(self, family: str, key: str = "") -> None:
        await self.ask(steer.DatabaseDelTree(family, key))

    # Where the dialplan goes on, and how the call is

    async def set_auto_hangup(self, seconds: int) -> None:
        await self.ask(steer.SetAutoHangup(seconds))

    async def set_caller_id(self, number: str, name: str = "") -> None:
        await self.ask(steer.SetCallerId(number, name))

    async def set_context(self, context: str) -> None:
        await self.ask(steer.SetContext(context))

    async def set_extension(self, extension: str) -> None:
        await self.ask(steer.SetExtension(extension))

    async def set_priority(self, priority: int | str) -> None:
        await self.ask(steer.SetPriority(priority))

    async def go_on_at(self, context: str, extension: str = "s", priority: int | str = 1) -> None:
        """Let the dialplan go on there when the session ends."""
        await self.set_context(context)
        await self.set_extension(extension)
        await self.set_priority(priority)

    async def set_music(self, on: bool, music_class: str = "") -> None:
        await self.ask(steer.SetMusic(on, music_class))

    async def tdd_mode(self, mode: str = "on") -> bool:
        return await self.ask(steer.TddMode(mode))

    # Playing, saying, asking, recording

    async def stream_file(self, file: str, escape: str = "", offset: int = 0) -> media.Played:
        """Play a file (without its ending) until it ends or a key of `escape` is pressed."""
        return await self.ask(media.StreamFile(file, escape, offset))

    async def control_stream_file(self, command: media.ControlStreamFile) -> media.Played:
        """Play a file in which the caller moves by keys."""
        return await self.ask(command)

    async def get_option(
        self, file: str, escape: str = media.KEYS, timeout_ms: int | None = None
    ) -> media.Played:
        """Play a file, then wait for one key."""
        return await self.ask(media.GetOption(file, escape, timeout_ms))

    async def get_data(self, file: str, timeout_ms: int = 5000, most: int = 1023) -> media.Pressed:
        """Play a file and take keys up to `most`, or until #."""
        return await self.ask(media.GetData(file, timeout_ms, most))

    async def wait_for_digit(self, timeout_ms: int = 5000) -> str:
        """One key; "" where none came in time."""
        return await self.ask(media.WaitForDigit(timeout_ms))

    async def record_file(self, command: media.RecordFile) -> media.Recorded:
        """Record the caller to a file."""
        return await self.ask(command)

    async def say_alpha(self, text: str, escape: str = "", case: str = "") -> str:
        return await self.ask(media.SayAlpha(text, escape, case))

    async def say_digits(self, digits: str, escape: str = "") -> str:
        return await self.ask(media.SayDigits(digits, escape))

    async def say_number(self, number: int, escape: str = "", gender: str = "") -> str:
        return await self.ask(media.SayNumber(number, escape, gender))

    async def say_phonetic(self, text: str, escape: str = "") -> str:
        return await self.ask(media.SayPhonetic(text, escape))

    async def say_date(self, at: int, escape: str = "") -> str:
        return await self.ask(media.SayDate(at, escape))

    async def say_time(self, at: int, escape: str = "") -> str:
        return await self.ask(media.SayTime(at, escape))

    async def say_datetime(self, at: int, escape: str = "", zone: str = "") -> str:
        return await self.ask(media.SayDateTime(at, escape, zone=zone))

    async def receive_char(self, timeout_ms: int = 5000) -> str:
        return await self.ask(media.ReceiveChar(timeout_ms))

    async def receive_text(self, timeout_ms: int = 5000) -> str | None:
        return await self.ask(media.ReceiveText(timeout_ms))

    async def send_text(self, text: str) -> None:
        await self.ask(media.SendText(text))

    async def send_image(self, image: str) -> None:
        await self.ask(media.SendImage(image))

    # Recognition by an engine of Asterisk's own

    async def speech_create(self, engine: str = "") -> None:
        await self.ask(speech.SpeechCreate(engine))

    async def speech_set(self, setting: str, value: str) -> None:
        await self.ask(speech.SpeechSet(setting, value))

    async def speech_destroy(self) -> None:
        await self.ask(speech.SpeechDestroy())

    async def speech_load_grammar(self, grammar: str, file: str) -> None:
        await self.ask(speech.SpeechLoadGrammar(grammar, file))

    async def speech_unload_grammar(self, grammar: str) -> None:
        await self.ask(speech.SpeechUnloadGrammar(grammar))

    async def speech_activate_grammar(self, grammar: str) -> None:
        await self.ask(speech.SpeechActivateGrammar(grammar))

    async def speech_deactivate_grammar(self, grammar: str) -> None:
        await self.ask(speech.SpeechDeactivateGrammar(grammar))

    async def speech_recognize(self, prompt: str, timeout_s: int = 10, offset: int = 0) -> speech.Recognised:
        return await self.ask(speech.SpeechRecognize(prompt, timeout_s, offset))


def as_value(value: object) -> str:
    """Return a value as the dialplan has it: texts as they are, None as "", True as 1, False as 0."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)
