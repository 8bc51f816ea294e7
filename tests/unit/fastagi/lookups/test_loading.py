"""Category: unit. Files of look-ups: every mistake at once, with its line; the schema beside the model."""

from __future__ import annotations

import jsonschema
import pytest

from voicebot.errors import UserError
from voicebot.fastagi.lookups.loading import SCHEMA, lookups_schema, parse_lookups, schema_text

pytestmark = pytest.mark.unit

GOOD = """\
databases:
  crm: {url: "postgresql://reader@db.internal/crm", password_env: CRM_PASSWORD}
lookups:
  vip:
    query: SELECT tier FROM callers WHERE number = :caller AND since < CAST(:arg1 AS date) -- not :this
    set: {VOICEBOT_VIP: tier}
    otherwise: {VOICEBOT_VIP: no}
    timeout: 500ms
    cache: 5m
  order:
    needs: number
    fetch:
      get: "https://shop.example/orders/{number}"
      headers: {Authorization: "Bearer {env.SHOP_KEY}"}
    set: {ORDER_STATUS: status, ORDER_ITEM: items.0.name}
"""
ENVIRONMENT = {"CRM_PASSWORD": "x", "SHOP_KEY": "y"}


def test_a_good_file_is_read() -> None:
    file = parse_lookups(GOOD, environment=ENVIRONMENT)
    assert list(file.lookups) == ["vip", "order"]
    assert (file.lookups["vip"].timeout, file.lookups["vip"].cache) == (500, 300_000)
    assert file.lookups["order"].needs == ("number",)


def test_secrets_that_are_missing_are_told() -> None:
    with pytest.raises(UserError) as caught:
        parse_lookups(GOOD, environment={})
    assert [problem.line for problem in caught.value.problems] == [2, 14]


def one(body: str) -> str:
    return f"databases: {{a: 'sqlite:///a.db'}}\nlookups:\n  x:\n{body}    set: {{V: c}}\n"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("    query: DELETE FROM t\n", "does more than read"),
        ("    query: WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x\n", "DELETE"),
        ("    query: SELECT 1; DROP TABLE t\n", "more than one statement"),
        ("    query: SELECT c INTO y FROM t\n", "INTO"),
        ("    query: SELECT c FROM t FOR UPDATE\n", "UPDATE"),
        ("    query: SELECT c FROM t WHERE n = ':caller'\n", "in quotes"),
        ("    query: SELECT c FROM t WHERE n = :callr\n", "nobody knows `:callr`"),
        ("    query: SELECT c FROM t\n    database: b\n", "no database `b`"),
        ("    query: SELECT c FROM t\n    fetch: {get: 'https://a.example/'}\n", "one of them"),
        ("    about: nothing is asked\n", "needs a `query` or a `fetch`"),
        ("    fetch: {get: 'https://{caller}.example/'}\n", "which machine is asked"),
        ("    fetch: {get: 'file:///etc/passwd'}\n", "does not begin with https://"),
        ("    fetch: {get: 'https://a.example/{number}'}\n", "nobody knows `{number}`"),
        ("    query: SELECT c FROM t\n    otherwise: {W: x}\n", "`W` is not in `set`"),
        ("    query: SELECT c FROM t\n    timeout: 5\n", "must be a time"),
        ("    qerry: SELECT c FROM t\n", "did you mean `query`"),
    ],
)
def test_mistakes(body: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_lookups(one(body), environment={})
    (problem,) = caught.value.problems
    assert says in str(problem)
    assert problem.line
    assert problem.remedy


@pytest.mark.parametrize(
    "variable", ["FILE(/etc/x)", "SHELL(id)", "A B", "CHANNEL(hangup_handler_push)", "1A"]
)
def test_variables_that_may_not_be_set(variable: str) -> None:
    text = one("    query: SELECT c FROM t\n").replace("{V: c}", f"{{'{variable}': c}}")
    with pytest.raises(UserError, match="no variable that may be set"):
        parse_lookups(text, environment={})


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nonsense", "no database"),
        ("nosuchdb://a@b/c", "SQLAlchemy knows no"),
        ("postgresql://a:secret@b/c", "a password stands in the url"),
    ],
)
def test_databases(url: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_lookups(one("    query: SELECT c FROM t\n").replace("sqlite:///a.db", url), environment={})
    assert says in str(caught.value)
    assert "secret" not in str(caught.value)


def test_all_mistakes_are_told_at_once() -> None:
    bad = (
        GOOD.replace(":caller", ":callr")
        .replace("{number}", "{nummer}")
        .replace("VOICEBOT_VIP: tier", "V W: t")
    )
    with pytest.raises(UserError) as caught:
        parse_lookups(bad, environment=ENVIRONMENT)
    assert [problem.line for problem in caught.value.problems] == [5, 6, 7, 13]


def test_the_schema_is_up_to_date_and_takes_what_we_take() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), "run scripts/references"
    validator = jsonschema.Draft202012Validator(lookups_schema())
    fine = {
        "databases": {"a": "sqlite:///x"},
        "lookups": {"v": {"query": "SELECT 1", "needs": "n", "set": {"V": "c"}}},
    }
    assert not list(validator.iter_errors(fine))
    assert list(validator.iter_errors({"lookups": {"v": {"sett": {}}}}))
