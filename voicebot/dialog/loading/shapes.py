"""Which model stands at a path of a dialog file, found in the models themselves."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from voicebot.dialog.loading.yamlfile import Path
from voicebot.dialog.model.base import Strict
from voicebot.dialog.model.dialog import DialogFile


def known_keys(path: Path) -> list[str]:
    """Return the keys that may stand under `path`; none where an author names them."""
    model = model_at(path)
    return [info.alias or name for name, info in model.model_fields.items()] if model else []


def wanted(path: Path) -> str:
    """Return what the key at `path` is for, as its hover text says; "" where there is none."""
    holder = model_at(path[:-1]) if path else None
    for name, info in holder.model_fields.items() if holder else ():
        if (info.alias or name) == path[-1]:
            return (info.description or "").partition("\n")[0]
    return ""


def model_at(path: Path) -> type[Strict] | None:
    """Return the model of what stands at `path`, or None."""
    here: list[Any] = [DialogFile]
    for part in path:
        here = [inner for annotation in here for inner in _inside(annotation, part)]
    # In short a list of one is the thing itself: what stands for a list may be one of its models.
    here += [inner for listed in here if get_origin(listed) is tuple for inner in _inside(listed, 0)]
    return next((found for found in here if isinstance(found, type) and issubclass(found, Strict)), None)


def _alternatives(annotation: Any) -> list[Any]:
    """Take an annotation apart: what a value there may be."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _alternatives(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return [inner for part in get_args(annotation) for inner in _alternatives(part)]
    return [] if annotation is NoneType else [annotation]


def _inside(annotation: Any, part: str | int) -> list[Any]:
    """Return what may stand under `part`."""
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        for name, info in annotation.model_fields.items():
            if (info.alias or name) == part:
                return _alternatives(info.annotation)
        return []
    arguments = get_args(annotation)
    if get_origin(annotation) is dict:
        return _alternatives(arguments[1])
    if get_origin(annotation) in (tuple, list) and arguments:
        inner = _alternatives(arguments[0])
        return inner if isinstance(part, int) else [found for one in inner for found in _inside(one, part)]
    return []
