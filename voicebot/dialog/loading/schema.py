"""The JSON Schema of dialog files, made from the models: an editor then completes and explains."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from voicebot.dialog.loading.editor import Examples, for_editors
from voicebot.dialog.model.dialog import DialogFile

STORED = Path(__file__).with_name("schema.json")
"""The schema for editors, which dialogs name in their first line; written by `scripts/references`."""


def dialog_schema() -> dict[str, Any]:
    """Return the schema of the models (JSON Schema 2020-12), as pydantic writes it."""
    schema = DialogFile.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "A dialog of voicebot",
    }


def schema_text(examples: Examples) -> str:
    """Return the schema for editors as the text of `schema.json` beside this file.

    It takes every dialog that we take. What only we know (names, types of conditions, the ways of the
    conversation) is left to `voicebot dialog check`.
    """
    schema = for_editors(dialog_schema(), examples)
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
