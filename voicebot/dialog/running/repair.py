"""What the bot does where an answer fails: how long it is patient, and what it says meanwhile by itself."""

from __future__ import annotations

from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.model.dialog import Dialog, Limits
from voicebot.dialog.running.listening import hint
from voicebot.dialog.turns import CallerInput, Prompt, Silence, SpokenText, Unheard

MOST_UNHEARD = 3
"""Failures of recognition in a row before we stop asking again."""


class Patience:
    """Counts what goes wrong in a call, and says when it is enough.

    Silences and misunderstandings count together in a step; silences in a row also over all steps. What our
    recogniser failed to hear is counted apart: it is not the caller's fault.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._noinputs = self._nomatches = 0
        self._silences = self._turns = 0
        self.unheard = 0
        self._failed_from: set[str] = set()

    def enter_step(self) -> None:
        """Begin anew: the caller has come further."""
        self._noinputs = self._nomatches = 0

    def note(self, event: CallerInput) -> bool:
        """Take note of what the caller did; return whether the call has gone on for too long."""
        self._turns += 1
        self._silences = self._silences + 1 if isinstance(event, Silence) else 0
        self.unheard = self.unheard + 1 if isinstance(event, Unheard) else 0
        return self._turns > self._limits.turns

    @property
    def silent_for_good(self) -> bool:
        """Whether the caller has been silent too often in a row, over all steps."""
        return self._silences >= self._limits.silences

    @property
    def deaf(self) -> bool:
        """Whether recognition has failed too often in a row."""
        return self.unheard >= MOST_UNHEARD

    @property
    def exhausted(self) -> bool:
        """Whether too much has failed in this step."""
        return self._noinputs + self._nomatches >= self._limits.failures

    def fail(self, kind: str) -> int:
        """Count a `noinput` or a `nomatch`; return which attempt of its kind it was."""
        if kind == "noinput":
            self._noinputs += 1
            return self._noinputs
        self._nomatches += 1
        return self._nomatches

    def fail_step(self, step: str) -> bool:
        """Take note that `step` has failed; return whether it had failed before."""
        before = step in self._failed_from
        self._failed_from.add(step)
        return before


class OwnWords:
    """What the bot says without being told by the dialog, in the language of the call."""

    def __init__(self, dialog: Dialog, language: str) -> None:
        self._dialog = dialog
        self._language = language
        self._texts = lexicon_of(language).texts

    def say(self, kind: str, attempt: int = 0) -> list[Prompt]:
        """Say the text for `kind`; for a later attempt (from 0) the later text."""
        texts = self._texts[kind]
        return [self._text(texts[min(attempt, len(texts) - 1)])]

    def retry(self, kind: str, attempt: int, question: tuple[Prompt, ...], hint_for: str) -> list[Prompt]:
        """Ask again, from the second attempt (counted from 1) on with what can be said in step `hint_for`.

        `hint_for` is "" where the question is not the step's own.
        """
        prompts = [*self.say(kind, attempt - 1), *question]
        if attempt > 1 and hint_for and (text := hint(self._dialog, hint_for, self._language)):
            prompts.append(self._text(text))
        return prompts

    def help(self, step: str) -> list[Prompt]:
        """Say what can be answered in `step`, and that there is an agent, if there is one."""
        text = hint(self._dialog, step, self._language) or self._texts["help"][0]
        agent = self._dialog.file.always.get("agent")
        return [self._text(text), *(self.say("help_agent") if agent and agent.goto else [])]

    def confirm(self, value: str, *, sensitive: bool) -> tuple[Prompt, ...]:
        """Ask whether `value`, as it is spoken, is right."""
        text = self._texts["confirm"][0].replace("{value}", value)
        return (SpokenText(text, self._language, static=False, sensitive=sensitive),)

    def _text(self, text: str) -> Prompt:
        return SpokenText(text, self._language)
