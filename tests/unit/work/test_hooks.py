"""unit: hooks are run whatever they do. The functions of this module are registered for the tests."""

from __future__ import annotations

import asyncio
import threading
from importlib.metadata import EntryPoint
from typing import Any, NoReturn

import pytest

from voicebot.dialog.turns import HookDone, RunHook
from voicebot.work import registered as module
from voicebot.work.hooks import GROUP, Hooks, known_hooks

pytestmark = pytest.mark.unit

SECRET = "4111111111111111"
never = threading.Event()


def status(order: str) -> dict[str, Any]:
    return {"status": f"{order} is on its way", "thread": threading.current_thread().name}


async def status_async(order: str) -> str:
    await asyncio.sleep(0)
    return order


def raises(order: str) -> NoReturn:
    raise ValueError(order)


def leaves(order: str) -> NoReturn:
    raise SystemExit(1)


def hangs(order: str) -> None:
    never.wait(5)


async def hangs_async(order: str) -> None:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        await asyncio.Event().wait()


async def cancels(order: str) -> NoReturn:
    raise asyncio.CancelledError


def returns_nonsense(order: str) -> object:
    return object()


NAMES = [
    "status", "status_async", "raises", "leaves", "hangs", "hangs_async", "cancels",
    "returns_nonsense", "gone",
]  # fmt: skip
HOOKS = Hooks(EntryPoint(name, f"{__name__}:{name}", GROUP) for name in NAMES)


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entry points import their module by its name, under which the tests' loader does not keep it."""
    import sys

    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or _this())


def _this() -> Any:
    import types

    found = types.ModuleType(__name__)
    found.__dict__.update(globals())
    return found


async def run(name: str, timeout_ms: int = 2000, **arguments: object) -> HookDone:
    return await HOOKS.run(RunHook("step", name, tuple({"order": SECRET, **arguments}.items()), timeout_ms))


async def test_functions_plain_and_async_return_values() -> None:
    assert await run("status", order="17") == HookDone({"status": "17 is on its way", "thread": "hook"})
    assert await run("status_async", order="17") == HookDone("17")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("raises", "ValueError at test_hooks.py"),
        ("leaves", "SystemExit"),
        ("cancels", "cancelled"),
        ("returns_nonsense", "type object"),
        ("gone", "cannot be imported"),
        ("unheard_of", "is not registered"),
    ],
)
async def test_what_fails_is_told_without_what_the_caller_said(name: str, why: str) -> None:
    done = await run(name)
    assert why in done.error
    assert SECRET not in done.error


async def test_wrong_arguments_are_an_error() -> None:
    assert "TypeError" in (await run("status", more=1)).error


@pytest.mark.parametrize("name", ["hangs", "hangs_async"])
async def test_a_hook_that_hangs_is_given_up(name: str) -> None:
    assert await run(name, timeout_ms=20) == HookDone(error="no result within 0.02 s")
    never.set()


async def test_hooks_that_hang_do_not_use_up_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "THREADS", 0)
    assert (await run("status")).error == "0 hooks run already"


async def test_a_thread_that_cannot_be_begun_is_none_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "THREADS", 1)

    def refused(thread: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as once:
        once.setattr(threading.Thread, "start", refused)
        hooks = Hooks([EntryPoint("status", f"{__name__}:status", GROUP)])
        assert not hooks.problems(["status"])  # it is imported
        work = RunHook("step", "status", (("order", "17"),), 2000)
        assert "RuntimeError" in (await hooks.run(work)).error
    assert (await hooks.run(work)).value == {"status": "17 is on its way", "thread": "hook"}


def test_hooks_are_known_and_checked_before_a_call() -> None:
    assert known_hooks() == frozenset()
    problems = HOOKS.problems(["status", "gone", "unheard_of"])
    assert [problem.what.split(":")[0] for problem in problems] == ["hook `gone`", "hook `unheard_of`"]
