"""Steps of a conversation, and the commands that are understood in each of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from voicebot.dialog.model.actions import (
    CallSpec,
    FetchRequest,
    HookSpec,
    Llm,
    RecordSpec,
    ReturnWord,
    TransferSpec,
)
from voicebot.dialog.model.base import (
    Condition,
    Duration,
    Identifier,
    Key,
    LanguageTag,
    Outcome,
    Phrase,
    PhraseList,
    StepName,
    Strict,
    as_list,
)
from voicebot.dialog.model.say import Prompts, Variants
from voicebot.dialog.model.slots import ConfirmRule, short_choice

Vary = Literal["chance", "turn"]

WORKS = ("ask", "record", "fetch", "hook", "call", "llm")
"""Keys of which a step has one at the most: what it waits for."""

LEAVES = ("goto", "end", "return", "transfer")
"""Keys of which a step has one at the most: where it leads."""


class Choice(Strict):
    """One of the answers to a step. In short, its phrases: `tuesday: [tuesday, the first one]`."""

    hear: PhraseList = Field(
        (), description="What callers say for it; without it, its name. `yes` and `no` know theirs."
    )
    examples: PhraseList = Field(
        (), description="Sentences that callers might use: an intent is found by its likeness to them."
    )
    key: Key | None = Field(None, description="The key for it.")
    goto: StepName | None = Field(
        None, description="The step that follows; else the step's own `goto` or the next one."
    )


ChoiceSpec = Annotated[
    Choice, BeforeValidator(short_choice, json_schema_input_type=Choice | list[Phrase] | None)
]


class Always(Strict):
    """Something that is understood in every step: a command."""

    hear: PhraseList = Field((), description="What callers say for it, beside what the language knows.")
    key: Key | None = Field(None, description="The key for it.")
    goto: StepName | None = Field(None, description="The step that follows.")
    say: Variants = Field(
        (), description="What the bot says; without `goto` the question comes again after it."
    )
    off: bool = Field(False, description="Do not understand this command, where the bot otherwise would.")


def _goto(value: Any) -> Any:
    """`goto: next` is a switch that always holds."""
    return {value: "else"} if isinstance(value, str) else value


Goto = Annotated[
    dict[StepName, Condition],
    BeforeValidator(_goto, json_schema_input_type=StepName | dict[StepName, Condition]),
]
"""A step, or steps with the condition of each; the first that holds is taken."""

Fill = Annotated[
    tuple[Identifier, ...],
    BeforeValidator(as_list, json_schema_input_type=Identifier | list[Identifier]),
    Field(max_length=10),
]
"""A slot, or several that may be told in one breath."""


class Step(Strict):
    """One step of the conversation.

    Its order: if, language, say; then one of ask, record, fetch, hook, call and llm; then fill, set; then one
    of goto, end, return and transfer.
    """

    if_: Condition | None = Field(
        None, alias="if", description="The step is passed over where this does not hold."
    )
    language: LanguageTag | None = Field(
        None, description="From here on the call is held in this language, one of `languages`."
    )
    say: Variants = Field((), description="What the bot says; of several, one.")
    ask: Variants = Field((), description="The question; then the bot listens.")
    record: RecordSpec | None = Field(None, description="Record a message of the caller.")
    fetch: FetchRequest | None = Field(None, description="Ask a web service.")
    hook: HookSpec | None = Field(None, description="Run a Python function.")
    call: CallSpec | None = Field(None, description="Run an included dialog.")
    llm: Llm | None = Field(None, description="A free conversation, within limits.")
    fill: Fill = Field(
        (), description="The slot that the answer goes to; of several, only the missing are asked for."
    )
    choices: dict[Identifier | str, ChoiceSpec] = Field(
        default_factory=dict, description="The answers that are understood here, by name."
    )
    confirm: ConfirmRule | None = Field(
        None,
        description="Whether to ask back: `unsure` only after a doubtful answer, `always`, `implicit` (the "
        "answer is repeated in passing), `never`; else as the slot says.",
    )
    optional: bool = Field(False, description="The caller may skip the question; the slot stays unknown.")
    help: Variants = Field((), description="What is said when the caller asks for help.")
    noinput: Prompts = Field(
        (), description="What is said to a silent caller, by attempt, in place of the default."
    )
    nomatch: Prompts = Field((), description="What is said when it was not understood, by attempt.")
    invalid: Prompts = Field(
        (), description="What is said when it was understood but is not possible, by attempt."
    )
    failed: StepName | None = Field(
        None,
        description="The step after too many failures, or where a look-up, hook, message or free "
        "conversation fails; else an agent, or a good-bye.",
    )
    bargein: bool | None = Field(
        None, description="Whether the caller may interrupt the prompts of this step."
    )
    vary: Vary | None = Field(None, description="Whether variants are said by `chance` or in `turn`.")
    timeout: Duration | None = Field(None, description="Silence before the caller counts as silent.")
    pause: Duration | None = Field(None, description="Silence after speech that ends an answer.")
    longest: Duration | None = Field(None, description="An answer longer than this is cut.")
    interdigit: Duration | None = Field(None, description="Silence after a key that ends a string of keys.")
    terminator: Literal["#", "*", ""] | None = Field(
        None, description='The key that ends a string of keys early; `#`, or "" for none.'
    )
    sensitive: bool = Field(False, description="Never log, record or store the answer.")
    set: dict[Identifier, Condition] = Field(
        default_factory=dict, max_length=100, description="Values to compute: name, expression."
    )
    goto: Goto = Field(
        default_factory=dict, description="The step that follows; without it, the next in the file."
    )
    end: Outcome | None = Field(None, description="Hang up; the outcome of the call in a word.")
    return_: ReturnWord | None = Field(
        None, alias="return", description="Go back to the dialog that called this one, with this word."
    )
    goal: bool = Field(False, description="This end is what the dialog is for.")
    transfer: TransferSpec | None = Field(None, description="Hand the caller to a person.")

    @property
    def listens(self) -> bool:
        return bool(self.ask)

    @property
    def waits(self) -> bool:
        """Whether the step waits for something: the caller, a service, another dialog."""
        return bool(self.ask) or any(getattr(self, key) is not None for key in WORKS if key != "ask")

    @property
    def leaves(self) -> bool:
        """Whether the step ends the dialog."""
        return bool(self.end or self.return_ or self.transfer)
