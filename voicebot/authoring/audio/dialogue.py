"""The dialog of a test by sound, as a session sees it."""

from __future__ import annotations

from typing import Any

from voicebot.authoring.conversation.conversation import Conversation
from voicebot.authoring.testing.format import Item
from voicebot.authoring.testing.run import Heard, Result, Script, Stop
from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.turns import (
    BotTurn,
    CallerInput,
    End,
    Handover,
    HungUp,
    Keys,
    Listen,
    Understood,
    Unheard,
    Utterance,
)
from voicebot.speech.stt import Transcript

MOST_REPEATS = 2
"""A caller who was not understood says it so often again."""


class ScriptedDialogue:
    """The dialog behind a session: a script knows what the caller means to say, and answers the look-ups."""

    def __init__(self, script: Script, result: Result) -> None:
        self.script, self.result = script, result
        self.item: Item | None = None
        self.acted = False
        self.stopped = False
        self._tries = 0
        self._told = 0  # turns whose prompts are on their way

    @property
    def understood(self) -> Understood | None:
        return self.script.run.turn.understood

    @property
    def step(self) -> str:
        return self.script.run.turn.step

    def begin(self, now: float) -> BotTurn:
        return self._go_on()

    def handle(self, given: Any, now: float, heard: str | None = None) -> BotTurn:
        item, self.acted = (self.item if self.acted else None), False
        if item is None:  # an echo, or a noise of the line
            self._give(given, f"(the line: {_words(given)})")
            taken = _meaning(self.script.run.turn.understood)
            self.result.heard.append(Heard("(nothing)", _words(given), taken, rightly=False))
            return self._bot_turn()
        event, _, shown = self.script.event_of(item)
        if not isinstance(event, Utterance):
            same = type(event) is type(given)
            self._give(given, shown if same else f"{shown}  [{_words(given)}]")
            if not same:
                taken = _meaning(self.script.run.turn.understood)
                self.result.heard.append(Heard(shown, _words(given), taken, rightly=False))
            return self._go_on()
        wanted, before = self.script.run.fork(), len(self.script.run.interpreter.taken)
        meant = wanted.take(event).understood
        self._give(given, f"{shown}  [{_words(given)}]" if _words(given) != shown else shown)
        got = self.script.run.turn.understood
        same = _same(meant, got)
        self.result.heard.append(Heard(shown, _words(given), _meaning(got), same))
        lost = got is not None and got.kind in ("nomatch", "noinput", "unheard")
        if _asks_back(self.script.run, before) and not _asks_back(wanted, before):
            self._confirm(same)  # the recogniser was not sure, which the test could not foresee
            lost = not same
        if lost and not same and self._tries < MOST_REPEATS and self.script.run.listens:
            self._tries += 1  # the same words again
            return self._bot_turn()
        return self._go_on()

    def _confirm(self, right: bool) -> None:
        """Answer "is that right?" as any caller would."""
        lexicon = lexicon_of(self.script.run.interpreter.language)
        word = (lexicon.yes if right else lexicon.no)[0]
        self._give(Utterance(Transcript(word)), f"{word}  (to what is asked back)")

    def meant_for_nothing(self, event: Utterance) -> bool:
        """Whether the words are not to be understood: a line that garbles them would prove nothing."""
        meant = self.script.run.fork().take(event).understood
        return meant is not None and meant.kind == "nomatch"

    def hang_up(self) -> None:
        """The caller has gone: whatever else stands in the talk is checked."""
        self._go_on()

    def _give(self, given: CallerInput, shown: str) -> None:
        self.script.give(given, "caller", shown)

    def _go_on(self) -> BotTurn:
        """Come to the caller's next line, answering what the dialog asks for."""
        self._tries = 0
        try:
            self.item = self.script.advance()
        except Stop:
            self.stopped = True
            return BotTurn((), End("stopped"))
        if self.item is None:
            return BotTurn(self._bot_turn().prompts, End("done"))
        return self._bot_turn()

    def _bot_turn(self) -> BotTurn:
        turns = self.script.run.turns[self._told :]
        self._told = len(self.script.run.turns)
        then = self.script.run.turn.then
        prompts = tuple(prompt for turn in turns for prompt in turn.prompts)
        return BotTurn(prompts, then if isinstance(then, Listen | End | Handover) else End("stuck"))


def _asks_back(talk: Conversation, before: int) -> bool:
    """Whether an answer is to be confirmed, by what the run has taken since it had taken so much."""
    return any(entry.way == "confirm" for entry in talk.interpreter.taken[before:])


def _words(given: CallerInput) -> str:
    match given:
        case Utterance(transcript):
            return transcript.text or "(nothing)"
        case Keys(digits):
            return f"keys {digits}"
        case Unheard():
            return "(not recognised)"
        case HungUp():
            return "(hangs up)"
    return "(silence)"


def _meaning(taken: Understood | None) -> str:
    if taken is None:
        return ""
    return f"{taken.kind}: {taken.meaning}" if taken.meaning else taken.kind


def _same(meant: Understood | None, got: Understood | None) -> bool:
    """Whether two answers were taken alike; the words of free text may differ."""
    if meant is None or got is None:
        return meant is got
    return (meant.kind, meant.meaning.casefold()) == (got.kind, got.meaning.casefold())
