"""Runs a dialog: a caller's input in, the bot's turn out. Deterministic; no clock, no chance, no waiting.

    interpreter = Interpreter(dialog, {"first_name": "Sara"})
    turn = interpreter.begin(now)
    while isinstance(turn.then, Listen):
        turn = interpreter.handle(<what the caller did>, now)

It follows VoiceXML 2.0's form interpretation (appendix C) where the words are the same: prompts queue until
the next input; `noinput` and `nomatch` escalate by attempt.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, time

from voicebot.dialog.expressions.expressions import evaluate, is_true, parse_expression
from voicebot.dialog.model.dialog import Dialog, Say, Step
from voicebot.dialog.model.slots import Value, meaning_of
from voicebot.dialog.model.words import CALL_VALUES
from voicebot.dialog.running.history import HistoryEntry, Journal
from voicebot.dialog.running.listening import confirmation_of, grammar_of, is_sensitive, listen
from voicebot.dialog.running.needs import given_values
from voicebot.dialog.running.repair import OwnWords, Patience
from voicebot.dialog.speaking.prompts import speak, text_of
from voicebot.dialog.speaking.templates import say_value
from voicebot.dialog.turns import (
    BotTurn,
    CallerInput,
    End,
    Handover,
    HungUp,
    Keys,
    Prompt,
    Silence,
    Understood,
    Unheard,
    Utterance,
)
from voicebot.dialog.understanding.grammar import Grammar, Match

MOST_STEPS = 100
"""Steps run without waiting for the caller; more is an endless loop and ends the call as `error`."""

UNSURE_SCORE = 0.8
UNSURE_CONFIDENCE = 0.6
"""Below either of them `confirm: unsure` asks back."""


@dataclass(frozen=True, slots=True)
class _Pending:
    """An answer that waits for its confirmation."""

    match: Match


class Interpreter:
    """One call's run of a dialog.

    given:  values for the dialog's `needs` (its defaults fill the rest)
    call:   values of the call itself: `number`, `called`, `id`
    seed:   chooses among variants of prompts, always in the same way

    Raises UserError where `given` does not hold what the dialog needs; after that nothing raises.
    """

    def __init__(
        self,
        dialog: Dialog,
        given: Mapping[str, object] | None = None,
        *,
        language: str | None = None,
        seed: int = 0,
        call: Mapping[str, object] | None = None,
    ) -> None:
        self.dialog = dialog
        self.language = language or dialog.language
        self.understood: Understood | None = None
        self.outcome: str | None = None
        self.goal = False
        self._own = OwnWords(dialog, self.language)
        self._values: dict[str, object] = dict(given_values(dialog, given or {}))
        self._values.update({name: str((call or {}).get(name.split(".")[1], "")) for name in CALL_VALUES})
        self._learnt: dict[str, object] = {}
        self._seed = seed
        self._chosen = 0
        self._step = dialog.first_step
        self._said: tuple[Prompt, ...] = ()
        self._question: tuple[Prompt, ...] = ()
        self._pending: _Pending | None = None
        self._patience = Patience(dialog.file.limits)
        self._journal = Journal()
        self._last = BotTurn((), End("error", reason="not begun"))

    @property
    def step(self) -> str:
        """The step that the call is in."""
        return self._step

    @property
    def slots(self) -> dict[str, object]:
        """What the conversation has learnt and computed; `sensitive` slots are left out."""
        hidden = {name for name, slot in self.dialog.file.slots.items() if slot.sensitive}
        return {name: value for name, value in self._learnt.items() if name not in hidden}

    @property
    def history(self) -> tuple[HistoryEntry, ...]:
        """Both sides of the conversation so far."""
        return self._journal.entries

    # --- the two ways in --------------------------------------------------------------------------------

    def begin(self, now: float) -> BotTurn:
        """Start the dialog; return the first turn."""
        return self._finish(self._run(self.dialog.first_step, []), now)

    def handle(self, event: CallerInput, now: float, heard: str | None = None) -> BotTurn:
        """Take what the caller did; return what the bot does.

        `heard`: what the caller heard of the last prompts, where they were interrupted; None if all.
        After the end the last turn comes again.
        """
        if heard is not None:
            self._journal.heard(heard)
        if self.outcome is not None:
            return self._last
        self._journal.caller(event, self._step, now, hidden=is_sensitive(self.dialog, self._step))
        if isinstance(event, HungUp):
            self.understood = None
            return self._finish(BotTurn((), End("hangup", reason="caller")), now)
        if self._patience.note(event):
            return self._finish(self._give_up("turns"), now)
        return self._finish(self._answer(event), now)

    def expects(self, event: CallerInput) -> bool:
        """Whether `event` would be understood now; nothing changes."""
        if self.outcome is not None or not self._current.ask:
            return False
        if self._match(event, self._grammar) is not None:
            return True
        step_grammar = grammar_of(self.dialog, self._step, self.language)
        return self._pending is not None and self._match(event, step_grammar) is not None

    def _answer(self, event: CallerInput) -> BotTurn:
        if isinstance(event, Silence):
            self._understand("noinput")
            return self._give_up("silence") if self._patience.silent_for_good else self._fail("noinput")
        if isinstance(event, Unheard):
            self._understand("unheard")
            if self._patience.deaf:
                return self._failed()
            return self._ask_again(self._own.say("unheard"), question=self._patience.unheard > 1)
        match = self._correction(event) or self._match(event, self._grammar)
        confidence = event.transcript.confidence if isinstance(event, Utterance) else None
        if match is None:
            self._understand("nomatch", confidence=confidence)
            return self._fail("nomatch")
        self._understand("command" if match.command else "match", match.meaning, confidence)
        if match.command:
            return self._command(match.meaning)
        if self._pending is not None:
            return self._confirmed(match)
        return self._take(match, confidence)

    def _match(self, event: CallerInput, grammar: Grammar) -> Match | None:
        if isinstance(event, Keys):
            return grammar.match_keys(event.digits)
        return grammar.match_transcript(event.transcript) if isinstance(event, Utterance) else None

    @property
    def _grammar(self) -> Grammar:
        if self._pending is not None:
            return confirmation_of(self.dialog, self.language)
        return grammar_of(self.dialog, self._step, self.language)

    # --- answers ----------------------------------------------------------------------------------------

    def _take(self, match: Match, confidence: float | None) -> BotTurn:
        """Take an answer, or ask back first."""
        step = self._current
        choice = step.choices.get(match.meaning)
        if choice is not None and choice.goto:
            return self._run(choice.goto, [])
        unsure = match.score < UNSURE_SCORE or (confidence is not None and confidence < UNSURE_CONFIDENCE)
        if step.fill and (
            step.confirm == "always" or (step.confirm == "unsure" and unsure and not match.by_key)
        ):
            return self._ask_back(match)
        return self._accept(match)

    def _accept(self, match: Match) -> BotTurn:
        step = self._current
        self._pending = None
        if step.fill:
            self._learn(step.fill[0], match.meaning if match.meaning in step.choices else match.value)
        prompts: list[Prompt] = []
        following = self._leave(step)
        return self._run(following, prompts) if isinstance(following, str) else following

    def _ask_back(self, match: Match) -> BotTurn:
        self._pending = _Pending(match)
        slot = self.dialog.file.slots[self._current.fill[0]]
        filter_ = "digits" if slot.type == "digits" else ""
        said = say_value(match.value, filter_, self.language)
        self._question = self._own.confirm(said, sensitive=slot.sensitive)
        return self._listen(self._question)

    def _confirmed(self, match: Match) -> BotTurn:
        assert self._pending is not None
        pending = self._pending
        if match.meaning == "yes":
            return self._accept(pending.match)
        self._pending = None
        self._question = self._asked(self._current)
        self._patience.fail("nomatch")
        return self._failed() if self._patience.exhausted else self._ask_again(self._own.say("unconfirmed"))

    def _correction(self, event: CallerInput) -> Match | None:
        """Take "no, four two seven two" in place of the answer that was asked back."""
        if self._pending is None or (isinstance(event, Keys) and self._grammar.match_keys(event.digits)):
            return None
        grammar = grammar_of(self.dialog, self._step, self.language)
        if grammar.slot is None or grammar.slot.open or grammar.slot.type == "yes_no":
            return None
        match = self._match(event, grammar)
        if match is None or match.command or match.meaning == self._pending.match.meaning:
            return None
        self._pending = None
        return match

    # --- commands ---------------------------------------------------------------------------------------

    def _command(self, name: str) -> BotTurn:
        command = self.dialog.file.always.get(name)
        said = self._speak_one(command.say, self._current) if command and command.say else []
        if command is not None and command.goto:
            return self._run(command.goto, said)
        if name == "repeat" and not said:
            said_last = self._said if self._pending is None else self._question
            return self._listen(tuple(replace(prompt, bargein=True) for prompt in said_last))
        if name == "help" and not said:
            said = self._speak_one(self._current.help, self._current) or self._own.help(self._step)
        return self._ask_again(said)

    # --- failures ---------------------------------------------------------------------------------------

    def _fail(self, kind: str) -> BotTurn:
        """Ask again, more explicitly with each attempt, until patience ends."""
        attempt = self._patience.fail(kind)
        if self._patience.exhausted:
            return self._failed()
        step = self._current
        own: tuple[Say, ...] = getattr(step, kind)
        if own and self._pending is None:
            say = own[min(attempt, len(own)) - 1]
            return self._listen(tuple(self._speak(say, step)))
        hint_for = self._step if self._pending is None else ""
        return self._listen(tuple(self._own.retry(kind, attempt, self._question, hint_for)))

    def _failed(self) -> BotTurn:
        """Patience has ended in this step: where the step says, else to an agent, else good-bye."""
        self._pending = None
        agent = self.dialog.file.always.get("agent")
        target = self._current.failed or (agent.goto if agent else None)
        if target is None or self._patience.fail_step(self._step):
            return self._give_up(self._step)
        return self._run(target, [])

    def _give_up(self, reason: str) -> BotTurn:
        return BotTurn(tuple(self._own.say("failed")), End("failed", reason=reason))

    # --- steps ------------------------------------------------------------------------------------------

    def _run(self, name: str, prompts: list[Prompt]) -> BotTurn:
        """Run steps from `name` on until one listens or ends."""
        self._pending = None
        self._patience.enter_step()
        following: str | BotTurn = name
        for _ in range(MOST_STEPS):
            assert isinstance(following, str)
            self._step = following
            step = self._current
            if step.if_ and not is_true(step.if_, self._values):
                following = self._next_in_file()
            else:
                prompts += self._speak_one(step.say, step)
                if step.ask:
                    self._question = self._asked(step)
                    self._said = (*prompts, *self._question)
                    return self._listen(self._said)
                following = self._leave(step)
            if isinstance(following, BotTurn):
                return replace(following, prompts=(*prompts, *following.prompts))
        return self._error("endless loop")

    def _leave(self, step: Step) -> str | BotTurn:
        """Compute, then return the step that follows, or how the dialog ends."""
        for name, expression in step.set.items():
            self._learn(name, evaluate(parse_expression(expression), self._values))
        if step.end:
            goal = step.goal or step.end in self.dialog.file.goals
            return BotTurn((), End(step.end, goal, reason=self._step))
        if step.transfer:
            context = tuple((name, self._as_text(name)) for name in step.transfer.context)
            goal = step.goal or "transferred" in self.dialog.file.goals
            return BotTurn((), Handover(str(step.transfer.to or step.transfer.queue), context, goal=goal))
        for target, condition in step.goto.items():
            if is_true(condition, self._values):
                return target
        return self._next_in_file()

    def _next_in_file(self) -> str | BotTurn:
        return self.dialog.step_after(self._step) or self._error("ran past the last step")

    def _error(self, reason: str) -> BotTurn:
        return BotTurn(tuple(self._own.say("error")), End("error", reason=reason))

    def _learn(self, name: str, value: object | Value) -> None:
        self._values[name] = value
        self._learnt[name] = value

    def _as_text(self, name: str) -> str:
        value = self._values.get(name)
        if isinstance(value, date | time):
            return value.isoformat()
        return "" if value is None else meaning_of(value)

    # --- speaking and listening -------------------------------------------------------------------------

    @property
    def _current(self) -> Step:
        return self.dialog.steps[self._step]

    def _asked(self, step: Step) -> tuple[Prompt, ...]:
        return tuple(self._speak_one(step.ask, step))

    def _ask_again(self, said: list[Prompt], *, question: bool = True) -> BotTurn:
        return self._listen((*said, *(self._question if question else ())))

    def _listen(self, prompts: tuple[Prompt, ...]) -> BotTurn:
        asked = text_of(self._question)
        return BotTurn(prompts, listen(self.dialog, self._step, self._grammar, asked))

    def _speak_one(self, variants: tuple[Say, ...], step: Step) -> list[Prompt]:
        """Say one of the variants; the same call and seed always take the same one."""
        if not variants:
            return []
        self._chosen += 1
        chosen = zlib.crc32(f"{self._seed}:{self._chosen}".encode()) % len(variants)
        return self._speak(variants[chosen], step)

    def _speak(self, say: Say, step: Step) -> list[Prompt]:
        bargein = self.dialog.file.bargein if step.bargein is None else step.bargein
        return speak(self.dialog, say, self._values, self.language, bargein=bargein)

    # --- what is kept -----------------------------------------------------------------------------------

    def _understand(self, kind: str, meaning: str = "", confidence: float | None = None) -> None:
        hidden = kind in ("match", "nomatch") and is_sensitive(self.dialog, self._step)
        self.understood = Understood(kind, self._step, meaning, confidence, hidden)

    def _finish(self, turn: BotTurn, now: float) -> BotTurn:
        """Keep what the turn says and how it ends."""
        if isinstance(turn.then, End | Handover):
            self.outcome, self.goal = turn.then.outcome, turn.then.goal
        self._journal.bot(turn.prompts, self._step, now)
        self._last = turn
        return turn
