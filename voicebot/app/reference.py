"""References for the docs, made from the models themselves: `voicebot.toml` and the call record."""

from __future__ import annotations

from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from voicebot.call.record import (
    BotTurnRecord,
    CallBackRecord,
    CallerTurnRecord,
    CallRecord,
    ConferenceRecord,
    DialogReference,
    GapRecord,
    InterventionRecord,
    JudgementRecord,
    OfferRecord,
    OutboundRecord,
    Party,
    PeopleRecord,
    TransferRecord,
    WorkRecord,
)
from voicebot.config import (
    AgentConfig,
    ConferenceConfig,
    Config,
    QueueConfig,
    Route,
    RouteLanguage,
    SttConfig,
    TrunkConfig,
    TtsConfig,
)
from voicebot.config.people import QueueRule

_REPEATED: dict[str, tuple[str, type[BaseModel]]] = {
    "stt": ("[stt.NAME]", SttConfig),
    "tts": ("[tts.NAME]", TtsConfig),
    "routes": ("[[routes]]", Route),
    "trunks": ("[trunks.NAME]", TrunkConfig),
    "queues": ("[queues.NAME]", QueueConfig),
    "agents": ("[agents.NAME]", AgentConfig),
    "conferences": ("[conferences.NAME]", ConferenceConfig),
}


def configuration_reference() -> str:
    """Return Markdown: a table a section, a row a setting."""
    top = [
        (name, field)
        for name, field in Config.model_fields.items()
        if not _is_section(name, field) and name != "base"
    ]
    parts = [_table("Top level", Config.__doc__ or "", top)]
    for name, field in Config.model_fields.items():
        if name in _REPEATED:
            title, model = _REPEATED[name]
            parts.append(_table(f"`{title}`", model.__doc__ or "", list(model.model_fields.items())))
            if model is Route:
                fields = list(RouteLanguage.model_fields.items())
                parts.append(_table("`[routes.languages.TAG]`", RouteLanguage.__doc__ or "", fields))
            elif model is QueueConfig:
                fields = list(QueueRule.model_fields.items())
                parts.append(_table("`[[queues.NAME.rules]]`", QueueRule.__doc__ or "", fields))
        elif _is_section(name, field):
            section: Any = field.annotation
            parts.append(_table(f"`[{name}]`", section.__doc__ or "", list(section.model_fields.items())))
    return "\n\n".join(parts)


def record_reference() -> str:
    """Return Markdown: a table for each part of a call record."""
    parts: dict[str, type[BaseModel]] = {
        "The record": CallRecord,
        "`caller`, `called`": Party,
        "`dialog`": DialogReference,
        "A turn of the bot": BotTurnRecord,
        "A turn of the caller": CallerTurnRecord,
        "Work that was done": WorkRecord,
        "`outbound`": OutboundRecord,
        "A judgement of who answered": JudgementRecord,
        "A stay in a queue of ours": PeopleRecord,
        "An agent who was asked": OfferRecord,
        "A transfer by a person": TransferRecord,
        "A call-back": CallBackRecord,
        "A stay in a conference": ConferenceRecord,
        "What a supervisor did": InterventionRecord,
        "A silent stretch of the recording": GapRecord,
    }
    return "\n\n".join(
        _field_table(title, model.__doc__ or "", list(model.model_fields.items()))
        for title, model in parts.items()
    )


def _is_section(name: str, field: FieldInfo) -> bool:
    kind = field.annotation
    return name in _REPEATED or (isinstance(kind, type) and issubclass(kind, BaseModel))


def _table(title: str, about: str, fields: list[tuple[str, FieldInfo]]) -> str:
    lines = [
        f"### {title}",
        "",
        " ".join(about.split()),
        "",
        "| setting | default | meaning |",
        "|---|---|---|",
    ]
    for name, field in fields:
        lines.append(f"| `{name}` | {_default(field)} | {_meaning(field)} |")
    return "\n".join(lines)


def _field_table(title: str, about: str, fields: list[tuple[str, FieldInfo]]) -> str:
    lines = [f"### {title}", "", " ".join(about.split()), "", "| field | meaning |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{name}` | {_meaning(field)} |" for name, field in fields)])


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "*required*"
    value = field.default
    if value is PydanticUndefined or isinstance(value, SecretStr) or value == "":
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _meaning(field: FieldInfo) -> str:
    meaning = field.description or ""
    if get_origin(field.annotation) is not None and (choices := get_args(field.annotation)):
        words = [str(choice) for choice in choices if isinstance(choice, str)]
        if words:
            meaning = f"One of {', '.join(f'`{word}`' for word in words)}. {meaning}"
    return meaning.strip()
