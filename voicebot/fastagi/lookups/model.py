"""What a file of look-ups can say, frozen; the source of its schema."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints

from voicebot.dialog.model.base import Duration, Identifier, LongDuration, Strict, as_list

LookupName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
Variable = Annotated[str, StringConstraints(min_length=1, max_length=80)]
Text = Annotated[str, StringConstraints(max_length=4000)]
Listed = BeforeValidator(as_list)
NO_TEXT = BeforeValidator(lambda value: "" if value is None else value)


class Database(Strict):
    """A database that is asked, never written to."""

    url: Text = Field(
        description="As SQLAlchemy has it: sqlite:///customers.db (beside this file), "
        "postgresql://reader@db.internal/crm, mysql+asyncmy://reader@db.internal/crm."
    )
    password_env: str = Field("", description="Environment variable that holds the password.")
    password_file: str = Field("", description="File that holds the password, and nothing else.")
    connections: int = Field(4, ge=1, le=64, description="At once; others wait for one within `timeout`.")


class Request(Strict):
    """A web service that is asked. `{caller}` and the like are filled in, encoded as the place needs it."""

    get: Text = Field("", description='Address: "https://crm.example/callers/{caller}".')
    post: Text = Field("", description="Address that is sent `body`.")
    query: dict[str, Text] = Field(default_factory=dict, description="Parameters of the address.")
    headers: dict[str, Text] = Field(
        default_factory=dict, description='Such as `Authorization: "Bearer {env.CRM_KEY}"`.'
    )
    body: dict[str, Text] = Field(default_factory=dict, description="Sent as a JSON object of texts.")
    retries: int = Field(
        0, ge=0, le=3, description="Further attempts after no answer, within `timeout` each."
    )


class Lookup(Strict):
    """One look-up: agi://host/lookup/<name>. It has a `query` or a `fetch`."""

    about: Text = Field("", description="What it is for.")
    database: str = Field("", description="Which of `databases`; may be left out where there is one.")
    query: Text = Field("", description="One SELECT. Values stand in it as :caller, never in quotes.")
    fetch: Request | None = Field(None, description="A web service instead of a query.")
    needs: Annotated[tuple[Identifier, ...], Listed] = Field(
        (), description="Parameters of the URL: agi://host/lookup/order?number=42 has `number`."
    )
    set: dict[Variable, Text] = Field(
        min_length=1,
        description="Channel variable: the column it gets, or its place in a reply, such as order.status.",
    )
    otherwise: dict[Variable, Annotated[Text, NO_TEXT]] = Field(
        default_factory=dict,
        description="Channel variable: its value where nothing was found, or the look-up failed. "
        'Others become "".',
    )
    timeout: Duration = Field(2000, description="Longest time; the caller waits.")
    cache: LongDuration = Field(0, description="An answer is good for so long; 0s: ask each time.")


class LookupFile(Strict):
    """A file of look-ups."""

    databases: dict[Identifier, Annotated[Database, BeforeValidator(lambda value: _database(value))]] = Field(
        default_factory=dict, description="Name: a database, or just its url."
    )
    lookups: dict[LookupName, Lookup] = Field(min_length=1, description="Name: the look-up.")


def _database(value: Any) -> Any:
    return {"url": value} if isinstance(value, str) else value
