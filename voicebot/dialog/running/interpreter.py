"""Runs a dialog: a caller's input in, the bot's turn out. Deterministic; no clock, no chance, no waiting.

    interpreter = Interpreter(dialog, {"first_name": "Sara"}, started=datetime.now(zone))
    turn = interpreter.begin(now)
    while not isinstance(turn.then, End | Handover):
        turn = interpreter.handle(<what the caller did, or how the work went>, now)

It follows VoiceXML 2.0's form interpretation (appendix C) where the words are the same: prompts queue until
the next input; `noinput` and `nomatch` escalate by attempt; of several slots only the missing are asked for.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from datetime import datetime

from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.model.words import CALL_VALUES, ENVIRONMENT
from voicebot.dialog.running import free_talk, interventions, voice
from voicebot.dialog.running.answers import answer, understand
from voicebot.dialog.running.corrections import secrets_known, tells_secret
from voicebot.dialog.running.failing import give_up
from voicebot.dialog.running.interventions import Possible
from voicebot.dialog.running.journal import HistoryEntry
from voicebot.dialog.running.listening import grammar_of, is_sensitive
from voicebot.dialog.running.patience import Patience
from voicebot.dialog.running.results import take_result
from voicebot.dialog.running.state import EPOCH, MOST_REPLIES, Frame, Go, Next, Run, Taken
from voicebot.dialog.running.steps import first_values, go_on, grammar_now, hear, leave, unwell
from voicebot.dialog.speaking.prompts import sensitive_names
from voicebot.dialog.turns import (
    BotTurn,
    CallerInput,
    End,
    Event,
    Fetched,
    Handover,
    HookDone,
    HungUp,
    Keys,
    Listen,
    MessageRecorded,
    Replied,
    Silence,
    SpokenText,
    Understood,
    Unheard,
    Utterance,
)
from voicebot.errors import UserError

_CALLER = (Utterance, Keys, Silence, Unheard, HungUp)
_RESULTS: dict[type, str] = {Fetched: "fetch", HookDone: "hook", MessageRecorded: "record", Replied: "llm"}


def seed_of(call_id: str) -> int:
    """Return the seed of a call: each says other variants, and says them again when it is replayed."""
    return zlib.crc32(call_id.encode())


class Interpreter:
    """One call's run of a dialog.

    given:        values for the dialog's `needs` (its defaults fill the rest)
    language:     one of the dialog's languages; its first by default
    seed:         chooses among variants of prompts, always in the same way
    call:         values of the call itself: `number`, `called`, `id`
    environment:  the operator's values that the dialog may name as `env.NAME`
    started:      the wall clock at `begin`, with the call's zone; `now` (s) moves it on

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
        environment: Mapping[str, str] | None = None,
        started: datetime | None = None,
    ) -> None:
        started = started or EPOCH
        shared: dict[str, object] = {
            **{name: str((call or {}).get(name.split(".")[1]) or "") or None for name in CALL_VALUES},
            **{f"{ENVIRONMENT}{name}": value for name, value in (environment or {}).items()},
            "now": started,
            "today": started.date(),
        }
        self.root = dialog
        self._run = Run(
            frames=[Frame(dialog, dialog.first_step, first_values(dialog, given or {}, shared))],
            patience=Patience(dialog.file.limits),
            language=language or dialog.language,
            seed=seed,
            started=started,
        )

    # --- what it knows ----------------------------------------------------------------------------------

    @property
    def dialog(self) -> Dialog:
        """The dialog that the call is in: the root, or one that it has called."""
        return self._run.dialog

    @property
    def step(self) -> str:
        """The step that the call is in."""
        return self._run.frame.step

    @property
    def language(self) -> str:
        """The language that the call is held in now."""
        return self._run.language

    @property
    def understood(self) -> Understood | None:
        """How the last event was taken."""
        return self._run.understood

    @property
    def outcome(self) -> str | None:
        """The dialog's word for how it went; None while it goes on."""
        return self._run.outcome

    @property
    def goal(self) -> bool:
        """Whether it ended as it is meant to."""
        return self._run.goal

    @property
    def slots(self) -> dict[str, object]:
        """What the conversation has learnt and computed; what is sensitive is left out."""
        root = self._run.root
        hidden = sensitive_names(root.dialog)
        return {
            name: value for name, value in root.values.items() if name in root.learnt and name not in hidden
        }

    @property
    def knows_secrets(self) -> bool:
        """Whether the caller has told something sensitive, and may say it again at any step."""
        return bool(secrets_known(self._run))

    @property
    def values(self) -> Mapping[str, object]:
        """Everything that the present dialog can name, sensitive values too: for tools."""
        return self._run.frame.values

    @property
    def history(self) -> tuple[HistoryEntry, ...]:
        """Both sides of the conversation so far."""
        return self._run.journal.entries

    @property
    def taken(self) -> list[Taken]:
        """The ways that the call has taken, for coverage."""
        return self._run.taken

    def fork(self) -> Interpreter:
        """Return an independent copy, cheaply: for proving and replaying."""
        other = object.__new__(Interpreter)
        other.root = self.root
        other._run = self._run.fork()
        return other

    def state(self) -> Hashable:
        """Return what decides how the conversation goes on: equal states behave alike."""
        return self._run.key()

    # --- the two ways in --------------------------------------------------------------------------------

    def begin(self, now: float) -> BotTurn:
        """Start the dialog; return the first turn."""
        self._run.begun = now
        return self._finish(Go(self._run.frame.step), now)

    def handle(self, event: Event, now: float, heard: str | None = None) -> BotTurn:
        """Take what the caller did, or how some work went; return what the bot does.

        `heard`: what the caller heard of the last prompts, where they were interrupted; None if all.
        After the end the last turn comes again, and so it does for an event that nobody waits for.
        """
        run = self._run
        if run.outcome is not None:
            return run.last
        if heard is not None:
            run.journal.heard(heard)
            if run.messages:
                free_talk.interrupted(run, heard)
        run.tell_time(now)
        if isinstance(event, HungUp):
            run.journal.event(event, run.frame.step, now, hidden=False)
            run.understood = None
            return self._finish(BotTurn((), End("hangup", reason="caller")), now)
        if not self._awaited(event):
            return run.last
        hidden = is_sensitive(run.dialog, run.frame.step) or getattr(run.working, "sensitive", False)
        told = not hidden and isinstance(event, Utterance) and tells_secret(run, event, now)
        run.journal.event(event, run.frame.step, now, hidden=hidden or told)
        turn = self._handled(event, now)
        if told and run.understood is not None:
            run.understood = replace(run.understood, sensitive=True)
        return turn

    # --- from outside: see `interventions` --------------------------------------------------------------

    def possible(self) -> Possible:
        """Return the steps that can be jumped to and the slots that can be corrected now."""
        return interventions.possible(self._run)

    def correct(self, slot: str, value: object, now: float, heard: str | None = None) -> BotTurn:
        """Put a slot right. Like all of these it raises UserError where it is not possible, and then nothing
        has changed; a turn that wants the work that goes on already lets it go on.
        """
        return self._intervene(lambda run: interventions.correct(run, slot, value, run.wall(now)), now, heard)

    def jump(self, step: str, now: float, heard: str | None = None) -> BotTurn:
        """Go on at a step of the present dialog, or of one that has called it."""
        return self._intervene(lambda run: interventions.jump(run, step), now, heard)

    def say(self, text: str, now: float, heard: str | None = None) -> BotTurn:
        """Say somebody else's words, then ask again."""
        return self._intervene(lambda run: interventions.say(run, text), now, heard)

    def repeat(self, now: float, heard: str | None = None) -> BotTurn:
        """Ask again."""
        return self._intervene(interventions.repeat, now, heard)

    def hand_over(self, handover: Handover, now: float, heard: str | None = None) -> BotTurn:
        """End the dialog, and leave the caller to somebody else, in the language of the call."""
        told = replace(handover, language=handover.language or self.language)
        return self._intervene(lambda run: BotTurn((), told), now, heard)

    def _intervene(self, change: Callable[[Run], Next], now: float, heard: str | None) -> BotTurn:
        if self._run.outcome is not None:
            raise UserError("the dialog has come to its end", "there is nothing left to change")
        run = self._run.fork()
        if heard is not None:
            run.journal.heard(heard)
            if run.messages:
                free_talk.interrupted(run, heard)
        run.tell_time(now)
        following = change(run)
        self._run = run
        return self._finish(following, now)

    def _handled(self, event: Event, now: float) -> BotTurn:
        run = self._run
        if (now - run.begun) * 1000 > run.root.dialog.file.limits.time:
            run.understood = None
            return self._finish(BotTurn(tuple(voice.own(run, "failed")), End("timeout", reason="time")), now)
        if run.working is not None:
            return self._worked(event, now)
        assert isinstance(event, _CALLER)
        if run.patience.note(event):
            return self._finish(give_up(run, "turns"), now)
        return self._finish(answer(run, event, now), now)

    def _worked(self, event: Event, now: float) -> BotTurn:
        run = self._run
        if isinstance(event, Replied):
            return self._finish(self._replied(event, now), now)
        assert isinstance(event, Fetched | HookDone | MessageRecorded)
        if not isinstance(event, MessageRecorded):
            run.keep_reply(event)
        return self._finish(take_result(run, event), now)

    def expects(self, event: CallerInput) -> bool:
        """Whether `event` would be understood now; nothing changes."""
        run = self._run
        if run.outcome is not None or run.working is not None or not isinstance(event, Keys | Utterance):
            return False
        moment = run.wall(0.0) if "now" not in run.frame.values else run.frame.values["now"]
        assert isinstance(moment, datetime)
        if understand(event, grammar_now(run), moment) is not None:
            return True
        if run.pending is None:
            return False
        return (
            understand(event, grammar_of(run.dialogs, run.frame.step, run.language, run.asked), moment)
            is not None
        )

    def commanded(self, event: CallerInput) -> str:
        """Return the command that `event` would be taken for now, "" for none; nothing changes."""
        run = self._run
        if run.outcome is not None or run.working is not None or not isinstance(event, Keys | Utterance):
            return ""
        moment = run.wall(0.0) if "now" not in run.frame.values else run.frame.values["now"]
        assert isinstance(moment, datetime)
        match = understand(event, grammar_now(run), moment)
        return match.meaning if match is not None and match.command else ""

    def _awaited(self, event: Event) -> bool:
        """Whether the call waits for this kind of event."""
        kind = _RESULTS.get(type(event))
        if self._run.working is None:
            return kind is None
        return kind is not None and getattr(self._run.step, kind) is not None

    def _replied(self, event: Replied, now: float) -> Next:
        """Take a language model's reply; its words have been spoken already."""
        run = self._run
        if event.error or free_talk.too_many_tools(run):
            run.working = None
            run.understood = Understood("reply", run.frame.step, event.error or "only tools")
            return unwell(run, f"free conversation failed: {event.error or 'only tools'}")
        then = free_talk.take_reply(run, event, run.wall(now))
        if free_talk.goes_on(event) and not isinstance(then, Go):
            return leave(run)
        if then is not None:
            return then
        run.question = ()  # it was asked long ago; whoever wants to hear something again hears the last words
        run.said = (SpokenText(event.text, run.language, static=False),) if event.text else run.said
        return hear(run, ())

    def _finish(self, following: Next, now: float) -> BotTurn:
        """Run on, and keep what the turn says and how it ends."""
        run = self._run
        turn = go_on(run, following)
        for _ in range(MOST_REPLIES):
            if (known := run.known_reply(turn.then)) is None:
                break
            understood, prompts = run.understood, turn.prompts
            turn = go_on(run, take_result(run, known))
            run.understood, turn = understood, replace(turn, prompts=(*prompts, *turn.prompts))
        if isinstance(turn.then, Listen):
            run.working, run.again = None, False
        elif isinstance(turn.then, End | Handover):
            run.outcome, run.goal = turn.then.outcome, turn.then.goal
            run.working = None
        else:
            run.working = turn.then
        run.journal.bot(turn.prompts, run.frame.step, now)
        run.last = turn
        return turn
