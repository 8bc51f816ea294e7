"""Category: unit. What is wrong with a value is told in words of ours, wherever it came in."""

from __future__ import annotations

import errno
import socket
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
import typer
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator
from typer.testing import CliRunner

from voicebot.cli.lazy import lazy_group
from voicebot.errors import all_there, cannot_listen, said_plainly

pytestmark = pytest.mark.unit


class Odd(BaseModel):
    model_config = ConfigDict(extra="forbid")
    size: int

    @field_validator("size")
    @classmethod
    def _small(cls, size: int) -> int:
        if size > 9:
            raise ValueError("a size has one digit")
        return size


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        (Odd, {"size": 10}, "a size has one digit"),
        (Odd, {}, "must be given"),
        (Odd, {"size": 1, "colour": 2}, "is not known"),
        (Odd, "x", "must hold names and values"),
        (Odd, {"size": 1.5}, "must be a whole number"),
        (Literal["a", "b"], "c", "must be 'a' or 'b'"),
        (Colour, "green", "must be 'red' or 'blue'"),
        (Annotated[int, Field(ge=1)], 0, "must be at least 1"),
        (Annotated[int, Field(gt=1)], 1, "must be above 1"),
        (Annotated[float, Field(le=2.5)], 3, "must be at most 2.5"),
        (Annotated[float, Field(lt=2.5)], 3, "must be below 2.5"),
        (Annotated[str, Field(min_length=1)], "", "must not be empty"),
        (Annotated[str, Field(min_length=10)], "short", "must have 10 characters or more"),
        (Annotated[str, Field(max_length=2)], "long", "must have 2 characters or fewer"),
        (str, 5, "must be a text"),
        (list[int], 5, "must be a list"),
        (float, "x", "must be a number"),
        (bool, "x", "must be true or false"),
        (datetime, "x", "must be a date and time such as 2027-03-01T10:00"),
        (frozenset[int], 5, "must be a valid frozenset"),
    ],
)
def test_what_is_wrong_is_said_plainly(kind: Any, given: object, said: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        TypeAdapter(kind).validate_python(given)
    assert said_plainly(wrong.value.errors()[0]) == said


@pytest.mark.parametrize(
    ("error", "why", "remedy"),
    [
        (OSError(errno.EADDRINUSE, "while attempting"), "Address already in use", "set agi.port"),
        (OSError(errno.EADDRNOTAVAIL, "while attempting"), "Cannot assign", "set agi.bind"),
        (OSError(errno.EACCES, "while attempting"), "Permission denied", "above 1023"),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known", "set agi.bind"),
    ],
)
def test_who_cannot_listen_is_told_why_and_which_setting_mends_it(
    error: OSError, why: str, remedy: str
) -> None:
    problem = cannot_listen("FastAGI", "10.9.9.9", 4573, "agi", error)
    assert problem.what.startswith(f"FastAGI cannot listen at 10.9.9.9:4573: {why}")
    assert remedy in problem.remedy


def paint(colour: Colour, coats: Annotated[int, typer.Option(min=1)] = 1) -> None:
    """Paint."""


@pytest.mark.parametrize(
    ("arguments", "said"), [(["green"], "'colour'"), (["red", "--coats", "0"], "must be at least 1")]
)
def test_wrong_options_are_told_without_words_of_a_library(arguments: list[str], said: str) -> None:
    app = typer.Typer(cls=lazy_group({"paint": f"{__name__}:paint"}), rich_markup_mode=None)
    app.callback()(lambda: None)
    result = CliRunner().invoke(app, ["paint", *arguments])
    assert result.exit_code == 2
    assert said in result.output and "-h" in result.output
    assert "Value error" not in result.output and "Input should" not in result.output


def test_names_that_are_there_are_told_in_the_right_number() -> None:
    assert all_there(["a"]) == "there is only a"
    assert all_there({"a": 1, "b": 2}) == "there are a, b"
