"""The way of commands to a gateway that runs: its REST interface, with the token that it left in `var`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import Any, Self
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import ProxyHandler, Request, build_opener

from voicebot.config import Config
from voicebot.errors import Problem, UserError
from voicebot.web.security.secrets import address_file, token_file

TIMEOUT_S = 15.0
UNKNOWN = 401
STREAM_TIMEOUT_S = 60.0
"""Four times what the gateway lets pass without a word."""


class RunningHouse:
    """The gateway of a configuration. Raises UserError where it does not run, or refuses."""

    def __init__(self, config: Config) -> None:
        self._token_file = path = token_file(config.var)
        try:
            self._token = path.read_text().strip()
        except OSError as error:
            remedy = "start it: `voicebot serve`; or give its configuration with --config"
            if isinstance(error, PermissionError):
                remedy = "run this as the gateway's user"
            raise UserError(Problem("no gateway with a panel runs here", remedy, str(path))) from error
        try:
            self._at = address_file(config.var).read_text().strip()
        except OSError as error:
            remedy = "start it again: `voicebot serve`"
            raise UserError(Problem("the gateway does not tell where its panel is", remedy)) from error
        self._opener = build_opener(ProxyHandler({}))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opener.close()

    def get(self, path: str, **query: Any) -> Any:
        """Return what is told."""
        return self._ask("GET", path, query, None)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Do something."""
        return self._ask("POST", path, {}, body or {})

    def delete(self, path: str) -> Any:
        return self._ask("DELETE", path, {}, None)

    def events(self, topics: str, id: str = "") -> Iterator[tuple[str, Any]]:
        """Yield what happens: `snapshot`, then `topic.kind`, with their data. Ends with the gateway."""
        with self._open("GET", "/events", {"topics": topics, "id": id}, None, STREAM_TIMEOUT_S) as answer:
            name = ""
            for raw in answer:
                line = raw.decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: "):
                    yield name, json.loads(line[6:])

    def _ask(self, method: str, path: str, query: dict[str, Any], body: dict[str, Any] | None) -> Any:
        with self._open(method, path, query, body, TIMEOUT_S) as answer:
            return json.loads(answer.read())

    @contextmanager
    def _open(
        self, method: str, path: str, query: dict[str, Any], body: dict[str, Any] | None, timeout_s: float
    ) -> Iterator[Any]:
        given = {name: value for name, value in query.items() if value not in (None, "")}
        url = f"{self._at}/api/v1{path}" + (f"?{urlencode(given)}" if given else "")
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        try:
            with self._opener.open(
                Request(url, data, headers, method=method),
                timeout=timeout_s,
            ) as answer:
                yield answer
        except HTTPError as error:
            if error.code == UNKNOWN:
                what = f"the gateway at {self._at} does not know the token that stands here"
                remedy = "is this the folder of another gateway? see paths.var; or start it again"
                raise UserError(Problem(what, remedy, str(self._token_file))) from error
            raise UserError(_problems(error)) from error
        except (URLError, TimeoutError, ConnectionError, HTTPException) as error:
            why = getattr(error, "reason", error)
            why = getattr(why, "strerror", None) or why
            remedy = "is `voicebot serve` running with this configuration? see panel.port"
            raise UserError(Problem(f"the gateway at {self._at} does not answer ({why})", remedy)) from error


def segment(name: str) -> str:
    """Return a name as a part of a path."""
    return quote(name, safe="")


def _problems(error: HTTPError) -> list[Problem]:
    try:
        told = json.loads(error.read())["problems"]
        return [
            Problem(
                each["what"], each["remedy"], "" if f"`{each['where']}`" in each["what"] else each["where"]
            )
            for each in told
        ]
    except (ValueError, KeyError, TypeError):
        return [Problem(f"the gateway answered {error.code}", "its log tells more")]
