"""Commands of AGI for speech recognition by an engine of Asterisk's own (res_speech)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from voicebot.agi.command import CallerHungUp, Command, CommandFailed, Refused
from voicebot.agi.media import sound
from voicebot.agi.messages import Reply

MOST_HYPOTHESES = 100


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What may have been said. score: 0 to 1000, as the engine has it."""

    text: str
    score: int = 0
    grammar: str = ""


@dataclass(frozen=True, slots=True)
class Recognised:
    """What came of SPEECH RECOGNIZE. ended_by: `speech`, `digit` or `timeout`. position: of the prompt."""

    ended_by: str
    hypotheses: tuple[Hypothesis, ...] = ()
    digit: str = ""
    position: int = 0


def _done(command: Command[None], reply: Reply) -> None:
    if reply.result != "1":
        raise CommandFailed(f"{command.name} failed", reply)


@dataclass(frozen=True)
class SpeechCreate(Command[None]):
    """Begin recognition by an engine. CommandFailed: there is none of this name."""

    name: ClassVar[str] = "SPEECH CREATE"
    engine: str = ""

    def words(self) -> tuple[str | int, ...]:
        return (self.engine,)

    def read(self, reply: Reply) -> None:
        _done(self, reply)


@dataclass(frozen=True)
class SpeechSet(Command[None]):
    """Set something of the engine."""

    name: ClassVar[str] = "SPEECH SET"
    setting: str
    value: str

    def words(self) -> tuple[str | int, ...]:
        return self.setting, self.value

    def read(self, reply: Reply) -> None:
        _done(self, reply)


@dataclass(frozen=True)
class SpeechDestroy(Command[None]):
    """End recognition."""

    name: ClassVar[str] = "SPEECH DESTROY"
    after: ClassVar[bool] = True

    def read(self, reply: Reply) -> None:
        _done(self, reply)


@dataclass(frozen=True)
class SpeechLoadGrammar(Command[None]):
    """Load a grammar from a file, under a name."""

    name: ClassVar[str] = "SPEECH LOAD GRAMMAR"
    grammar: str
    file: str

    def words(self) -> tuple[str | int, ...]:
        return self.grammar, sound(self.file)

    def read(self, reply: Reply) -> None:
        _done(self, reply)


@dataclass(frozen=True)
class SpeechUnloadGrammar(Command[None]):
    """Forget a grammar."""

    name: ClassVar[str] = "SPEECH UNLOAD GRAMMAR"
    after: ClassVar[bool] = True
    grammar: str

    def words(self) -> tuple[str | int, ...]:
        return (self.grammar,)

    def read(self, reply: Reply) -> None:
        _done(self, reply)


@dataclass(frozen=True)
class SpeechActivateGrammar(Command[None]):
    """Listen for what a grammar holds."""

    name: ClassVar[str] = "SPEECH ACTIVATE GRAMMAR"
    grammar: str

    def words(self) -> tuple[str | int, ...]:
        return (self.grammar,)

    def read(self, reply: Reply) -> None:
        _done(self, reply)


@dataclass(frozen=True)
class SpeechDeactivateGrammar(Command[None]):
    """Do not listen any more for what a grammar holds."""

    name: ClassVar[str] = "SPEECH DEACTIVATE GRAMMAR"
    grammar: str

    def words(self) -> tuple[str | int, ...]:
        return (self.grammar,)

    def read(self, reply: Reply) -> None:
        _done(self, reply)


@dataclass(frozen=True)
class SpeechRecognize(Command[Recognised]):
    """Play a prompt and recognise what the caller says, into it as well. timeout_s 0: for ever."""

    name: ClassVar[str] = "SPEECH RECOGNIZE"
    prompt: str
    timeout_s: int = 10
    offset: int = 0

    def words(self) -> tuple[str | int, ...]:
        if not 0 <= self.timeout_s <= 3600:
            raise Refused("a time-out is between 0 and 3600 s")
        return (sound(self.prompt), self.timeout_s, *((self.offset,) if self.offset else ()))

    def read(self, reply: Reply) -> Recognised:
        if reply.result != "1":
            raise CommandFailed(f"{self.name} failed", reply)
        if reply.value == "hangup":
            raise CallerHungUp("the caller has hung up")
        count = int(reply["results"]) if reply["results"].isdecimal() else 0
        found = tuple(
            Hypothesis(reply[f"text{at}"], _score(reply[f"score{at}"]), reply[f"grammar{at}"])
            for at in range(min(count, MOST_HYPOTHESES))
        )
        return Recognised(reply.value or "timeout", found, reply["digit"], _score(reply["endpos"]))

    def takes_ms(self) -> int | None:
        return None


def _score(text: str) -> int:
    return int(text) if text.isdecimal() else 0
