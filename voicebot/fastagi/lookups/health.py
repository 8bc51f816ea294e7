"""Whether the look-ups of a configuration hold together, for the doctor."""

from __future__ import annotations

import asyncio

from voicebot.config import Config
from voicebot.errors import Problem, UserError
from voicebot.fastagi.lookups.asking import DatabaseFailed, statement
from voicebot.fastagi.lookups.databases import open_database
from voicebot.fastagi.lookups.loading import load_lookups

ANSWER_S = 3.0


async def health(config: Config) -> tuple[list[str], list[Problem], list[Problem]]:
    """Return what is well, what is unwise, and what is wrong. Asks each database for a 1."""
    path = config.resolve(config.agi.lookups)
    try:
        file = await asyncio.to_thread(load_lookups, path)
    except UserError as error:
        return [], [], list(error.problems)
    well, unwise, wrong = [f"{path.name}: {', '.join(file.lookups)}"], list[Problem](), list[Problem]()
    for name, settings in file.databases.items():
        try:
            database = open_database(name, settings, path.parent)
        except UserError as error:
            wrong += error.problems
            continue
        try:
            await database.first(statement("SELECT 1 AS one"), {}, ANSWER_S)
        except DatabaseFailed as error:
            what = f"database `{name}` does not answer: {error}"
            wrong.append(Problem(what, "callers get `otherwise` meanwhile: mend it, or its url"))
        else:
            if database.guarded:
                well.append(f"database `{name}` answers, and is only read")
            else:
                what = f"nothing but the rights of its user keeps look-ups from writing to `{name}`"
                unwise.append(Problem(what, "name a user who may only read"))
        finally:
            await database.close()
    return well, unwise, wrong
