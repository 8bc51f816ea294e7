"""The reference of test files, made from their models: each key and its meaning."""

from __future__ import annotations

from pydantic import BaseModel

from voicebot.authoring.testing.format import (
    Common,
    FetchLine,
    Head,
    HookLine,
    Item,
    ModelReply,
    Not,
    Says,
    Stub,
    TestConversation,
)

TITLES: dict[str, tuple[type[BaseModel], ...]] = {
    "A conversation": (TestConversation,),
    "The talk": (Item,),
    "`bot`": (Not,),
    "`caller`": (Says,),
    "`fetch`": (FetchLine,),
    "`hook`": (HookLine,),
    "`model`": (ModelReply,),
    "`stubs`": (Stub,),
    "The head of a file": (Head, Common),
}


def reference_of_tests() -> str:
    """Return the reference as Markdown."""
    parts = []
    for title, models in TITLES.items():
        rows = [row for model in models for row in _rows(model)]
        about = " ".join((models[0].__doc__ or "").split())
        parts.append("\n".join([f"### {title}", "", about, "", "| key | meaning |", "|---|---|", *rows]))
    return "\n\n".join(parts)


def _rows(model: type[BaseModel]) -> list[str]:
    own = [
        f"| `{info.alias or name}` | {(info.description or '').replace('|', chr(92) + '|')} |"
        for name, info in model.model_fields.items()
        if name != "does"
    ]
    if "does" in model.model_fields:
        own.append(
            "| `- silence`, `- noise`, `- unheard`, `- hangup` | What the caller does without words. |"
        )
    return own
