"""What is answered when something cannot be done: always the same shape, with a remedy where there is one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import compile_path
from starlette.websockets import WebSocket

from voicebot.errors import PbxError, Problem, SpeechUnavailable, UserError, said_plainly
from voicebot.store.errors import StoreUnavailable
from voicebot.web.patterns import SAID
from voicebot.web.security.roles import Role

log = structlog.get_logger(__name__)

API = "/api/"


class ProblemOut(BaseModel):
    """One thing that is wrong."""

    what: str = Field(description="What is wrong.", examples=["there is no live call 4f1c"])
    remedy: str = Field("", description="How to mend it.", examples=["look at the live calls"])
    where: str = Field("", description="`file:line:column`, or the field of the request.")


class Problems(BaseModel):
    """Why a request was not done."""

    model_config = ConfigDict(title="Problems")
    problems: list[ProblemOut] = Field(description="Everything that is wrong, not only the first.")


class Trouble(Exception):
    """A request cannot be done. headers: to go with the answer."""

    def __init__(
        self,
        status: int,
        problems: Iterable[Problem] | str,
        remedy: str = "",
        headers: dict[str, str] | None = None,
    ) -> None:
        self.status = status
        self.headers = headers or {}
        self.problems = [Problem(problems, remedy)] if isinstance(problems, str) else list(problems)
        super().__init__("; ".join(map(str, self.problems)))


class NotSignedIn(Trouble):
    """Nobody is known to ask: a browser is sent to the login."""

    def __init__(self) -> None:
        super().__init__(
            401, "you are not signed in", "sign in, or send a token", {"WWW-Authenticate": "Bearer"}
        )


class Forbidden(Trouble):
    """Whoever asks may not do it."""

    def __init__(self, role: Role, needed: Role) -> None:
        super().__init__(403, f"a {role} may not do this", f"it takes the role {needed}")


def absent(what: str, remedy: str) -> Trouble:
    """Return the answer where a part of the house, or a thing in it, is not there."""
    return Trouble(404, what, remedy)


def body(problems: Iterable[Problem]) -> dict[str, object]:
    """Return problems as the API tells them."""
    return {"problems": [{"what": p.what, "remedy": p.remedy, "where": p.where} for p in problems]}


def answer(status: int, problems: Iterable[Problem], headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(body(problems), status, headers=headers)


WORDS = {
    400: "The request itself is wrong.",
    401: "Not signed in.",
    403: "The role does not suffice, or the request comes from another page.",
    404: "It is not there.",
    408: "The request's body did not come in time.",
    409: "It is not possible now.",
    413: "Too large.",
    416: "No such range.",
    421: "The panel has another address than this `Host`.",
    422: "A value is wrong.",
    429: "Too often; `Retry-After` tells when.",
    502: "Asterisk refused, or is away.",
    503: "A part that is needed is away.",
}


def told(*statuses: int) -> dict[int | str, dict[str, object]]:
    """Return `responses=` for a route: what it may answer when it does not do what was asked."""
    return {status: {"model": Problems, "description": WORDS[status]} for status in statuses}


def install(app: FastAPI) -> None:
    """Let all errors be told in this way."""

    @cache
    def ways() -> list[tuple[re.Pattern[str], set[str]]]:
        """Return which methods are taken where."""
        known: list[Any] = list(iter_route_contexts(app.routes))
        return [
            (compile_path(each.path)[0], set(each.methods))
            for each in known
            if getattr(each, "methods", None)
        ]

    @app.exception_handler(Trouble)
    async def _trouble(request: Request | WebSocket, error: Trouble) -> Response | None:
        if isinstance(request, WebSocket):  # not accepted yet
            await request.close(1008)
            return None
        page = request.method == "GET" and not request.url.path.startswith(API)
        if isinstance(error, NotSignedIn) and page:
            where = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(
                request.url_for("login_page").include_query_params(next=where).replace(scheme="", netloc=""),
                303,
            )
        return answer(error.status, error.problems, error.headers)

    @app.exception_handler(UserError)
    async def _mistake(request: Request, error: UserError) -> Response:
        return answer(409, error.problems)

    @app.exception_handler(StoreUnavailable)
    async def _store(request: Request, error: StoreUnavailable) -> Response:
        return answer(503, [Problem(str(error), "try again in a moment")], {"Retry-After": "2"})

    @app.exception_handler(PbxError)
    async def _pbx(request: Request, error: PbxError) -> Response:
        return answer(502, [Problem(str(error), "`voicebot doctor` checks Asterisk")])

    @app.exception_handler(SpeechUnavailable)
    async def _speech(request: Request, error: SpeechUnavailable) -> Response:
        return answer(503, [Problem(str(error), "the engines come back by themselves; see the health")])

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        return answer(422, [_problem_of(fault) for fault in error.errors()])

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        words = {404: "there is nothing at this address", 405: "this address does not take that method"}
        what = words.get(error.status_code, str(error.detail))
        headers = dict(error.headers or {})
        if error.status_code == 405:  # what it has names the methods of one route, and there are more
            path = request.url.path
            taken = {method for way, methods in ways() if way.match(path) for method in methods}
            headers["Allow"] = ", ".join(sorted(taken))
        return answer(error.status_code, [Problem(what)], headers)

    @app.exception_handler(Exception)
    async def _ours(request: Request, error: Exception) -> Response:
        log.error("request failed", path=request.url.path, exc_info=error)
        return answer(500, [Problem("a mistake of ours", "the log tells more")])


def _problem_of(fault: dict[str, Any]) -> Problem:
    """Return what is wrong with a field of a request, in words for who has filled it in."""
    part, *path = fault["loc"]  # body, query or path; then the field
    at_fault = part if fault["type"] == "json_invalid" or not path else ".".join(map(str, path))
    words = SAID.get(fault.get("ctx", {}).get("pattern", "")) or said_plainly(fault)
    name = "the body" if at_fault == "body" else f"`{at_fault}`"
    return Problem(f"{name} {words}", _REMEDIES.get(fault["type"], ""), at_fault)


_REMEDIES = {
    "missing": "send it",
    "extra_forbidden": "leave it out; /api/v1/openapi.json tells what is known",
    "json_invalid": "send a JSON object, with Content-Type: application/json",
}
