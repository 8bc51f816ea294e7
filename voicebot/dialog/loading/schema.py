"""The JSON Schema of dialog files, made from the models: an editor then completes and explains."""

from __future__ import annotations

import json
from typing import Any

from voicebot.dialog.model.dialog import DialogFile


def dialog_schema() -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12); `schema.json` beside this file is its copy for editors."""
    schema = DialogFile.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "A dialog of voicebot",
    }


def schema_text() -> str:
    """Return the schema as the text of `schema.json`."""
    return json.dumps(dialog_schema(), indent=1, ensure_ascii=False) + "\n"
