"""Serves the panel in the gateway's own event loop: it begins and ends with the gateway."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

import structlog
import uvicorn
from fastapi import FastAPI

from voicebot.config import Config
from voicebot.errors import UserError, cannot_listen
from voicebot.store.errors import StoreUnavailable
from voicebot.store.store import open_store
from voicebot.web.app import make_app
from voicebot.web.connections import PatientHttp, PatientSocket
from voicebot.web.house import House
from voicebot.web.records.keeping import keep_up
from voicebot.web.security.secrets import address_file, fresh, token_file, write_way_in

BACKLOG = 256
MOST_CONNECTIONS = 1000
KEEP_ALIVE_S = 15
CLOSE_S = 2.0
"""So long open answers may take when the panel closes; streams end at once."""
AGAIN_S = 5.0
"""Between tries to open the store, and to write what commands on this machine need."""
PING_EVERY_S, PING_LIMIT_S = 5.0, 10.0
"""Of websockets. Who is gone without a word holds a bot, or has a caller, no longer than both together; who
changes from one network to another stays."""
MOST_MESSAGE_BYTES = 64 * 1024
"""Of a websocket's message: a second of audio has 32,000."""

log = structlog.get_logger(__name__)


class _Server(uvicorn.Server):
    """Leaves signals to the gateway, which knows what is to be finished before."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bound_socket(bind: str, port: int) -> socket.socket:
    """Return a listening socket. Raises UserError where the address cannot be had."""
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # so that replies leave at once
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((bind, port))
        opened.listen(BACKLOG)
    except OSError as error:
        opened.close()
        raise UserError(cannot_listen("the panel", bind, port, "panel", error)) from error
    opened.setblocking(False)
    return opened


@asynccontextmanager
async def panel_beside(config: Config, house: House) -> AsyncIterator[str]:
    """Serve the panel while the block runs; gives its address, such as http://127.0.0.1:8090.

    Where `house.store` is None the store of the configuration is opened as soon as it answers. Raises
    UserError where the port is taken.
    """
    async with AsyncExitStack() as stack:
        listening = bound_socket(config.panel.bind, config.panel.port)
        stack.callback(listening.close)
        port = listening.getsockname()[1]
        token = fresh()
        app = make_app(house, port=port, local_token=token)
        if house.store is None:
            keeping = asyncio.create_task(_keep_store(config, house), name="panel store")
            stack.push_async_callback(_end, keeping)
        stack.push_async_callback(_finish, app)
        for beside, name in (
            (keep_up(app.state.records, house.hub), "panel records"),
            (app.state.metrics.follow(house.hub), "panel metrics"),
        ):
            stack.push_async_callback(_end, asyncio.create_task(beside, name=name))
        settings = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            proxy_headers=False,
            http=PatientHttp,
            ws=PatientSocket,
            ws_max_size=MOST_MESSAGE_BYTES,
            ws_ping_interval=PING_EVERY_S,
            ws_ping_timeout=PING_LIMIT_S,
            ws_per_message_deflate=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=int(CLOSE_S),
        )
        server = _Server(settings)
        serving = asyncio.create_task(server.serve([listening]), name="panel")
        stack.push_async_callback(_stop, server, serving, app.state.closing)
        host = f"[{config.panel.bind}]" if ":" in config.panel.bind else config.panel.bind
        address = f"http://{host}:{port}"
        here = address.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
        stack.callback(_take_away, token_file(config.var), f"{token}\n")
        stack.callback(_take_away, address_file(config.var), here)
        try:
            await asyncio.to_thread(write_way_in, config.var, token, here)
        except OSError as error:
            log.error("commands on this machine do not find the panel", error=str(error))
            telling = _tell_again(config.var, token, here)
            stack.push_async_callback(_end, asyncio.create_task(telling, name="panel way in"))
        log.info("panel", at=address)
        yield address


async def _tell_again(var: Path, token: str, address: str) -> None:
    """Until the disk takes it; callers are served meanwhile, and browsers with a login."""
    while True:
        await asyncio.sleep(AGAIN_S)
        with suppress(OSError):
            await asyncio.to_thread(write_way_in, var, token, address)
            log.info("commands on this machine find the panel")
            return


def _take_away(path: Path, ours: str) -> None:
    """Remove a file that we wrote, unless the gateway after us has written its own."""
    with suppress(OSError):
        if path.read_text() == ours:
            path.unlink()


async def _keep_store(config: Config, house: House) -> None:
    """Open the store, however long it takes, and hold it until cancelled."""
    told = ""
    while True:
        try:
            async with open_store(config) as store:
                house.store = store
                try:
                    await asyncio.Event().wait()
                finally:
                    house.store = None
        except (UserError, StoreUnavailable) as error:
            house.store_away = str(error)
            if str(error) != told:
                log.error("nobody can sign in to the panel", why=str(error))
            told = str(error)
        except Exception:  # a mistake of ours; callers are served all the same
            log.exception("the panel's database failed")
        await asyncio.sleep(AGAIN_S)


async def _finish(app: FastAPI) -> None:
    """What is still to be written; the store is there until after it."""
    app.state.feed.close()
    app.state.desk.close()
    await app.state.journal.close()
    await app.state.doorkeeper.close()


async def _stop(server: uvicorn.Server, serving: asyncio.Task[None], closing: asyncio.Event) -> None:
    """Take no more requests, end all streams, and wait for what is being answered."""
    closing.set()
    server.should_exit = True
    done, _ = await asyncio.wait({serving}, timeout=CLOSE_S + 1)
    if not done:
        server.force_exit = True
    await _end(serving)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
