"""Asterisk's REST interface and its websocket, over a `World`."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import WSMsgType, web

from tests.simulator.pbx.rtp import RtpSocket
from tests.simulator.pbx.snoop import snoop
from tests.simulator.pbx.world import INTERNAL, App, Bridge, Channel, Json, Refused, World

FORMATS = {"ulaw", "alaw", "slin", "g722", "slin16", "gsm", "opus"}


def app_json(app: App, world: World) -> Json:
    bridges = app.followed & set(world.bridges)
    bridges |= {c.bridge.id for c in world.channels.values() if c.bridge and c.id in app.followed}
    return {
        "name": app.name,
        "channel_ids": sorted(app.followed & set(world.channels)),
        "bridge_ids": sorted(bridges),
        "endpoint_ids": [],
        "device_names": [],
        "events_allowed": [],
        "events_disallowed": [{"type": name} for name in app.disallowed],
    }


class Rest:
    """One handler a request. `sockets` are the websockets open now; `mute` ones do not answer pings."""

    def __init__(self, world: World, user: str, password: str, host: str) -> None:
        self.world = world
        self.sockets: set[web.WebSocketResponse] = set()
        self.mute = False
        self.dial: Callable[[str, Mapping[str, str]], Channel] | None = None
        """Rings a telephone: the id of its channel, the request's query."""
        self.contexts = {"voicebot-talk"}
        """Of the dialplan, as far as we are asked for them."""
        self.registered: Callable[[str], bool] = lambda name: False
        self._expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self._host = host

    def routes(self, around: Callable[[web.Request], Any]) -> web.Application:
        """Return the web application; `around` is awaited before each request (delays, refusals)."""

        @web.middleware
        async def guard(request: web.Request, handler: Any) -> web.StreamResponse:
            if request.headers.get("Authorization") != self._expected:
                return web.json_response({"message": "Authentication required"}, status=401)
            try:
                await around(request)
                return await handler(request)
            except Refused as refused:
                return web.json_response({"message": refused.message}, status=refused.status)
            except web.HTTPNotFound:
                return web.json_response({"message": "Resource not found"}, status=404)

        site = web.Application(middlewares=[guard])
        channel = "/ari/channels/{id}"
        for method, path, handler in (
            ("GET", "/ari/events", self.events),
            ("POST", "/ari/events/user/{name}", self.user_event),
            ("GET", "/ari/asterisk/info", self.info),
            ("GET", "/ari/applications", self.applications),
            ("GET", "/ari/applications/{app}", self.application),
            ("POST", "/ari/applications/{app}/subscription", self.subscribe),
            ("DELETE", "/ari/applications/{app}/subscription", self.unsubscribe),
            ("PUT", "/ari/applications/{app}/eventFilter", self.filter),
            ("GET", "/ari/channels", self.channels),
            ("POST", "/ari/channels/externalMedia", self.external_media),
            ("GET", channel, self.get_channel),
            ("POST", channel, self.originate),
            ("DELETE", channel, self.hang_up),
            ("POST", f"{channel}/answer", self.answer),
            ("POST", f"{channel}/snoop/{{snoop}}", self.snoop),
            ("POST", f"{channel}/continue", self.continue_),
            ("POST", f"{channel}/mute", self.mute_channel),
            ("DELETE", f"{channel}/mute", self.unmute_channel),
            ("POST", f"{channel}/play", self.play),
            ("POST", f"{channel}/variable", self.set_variable),
            ("GET", f"{channel}/variable", self.get_variable),
            ("GET", "/ari/endpoints/{technology}/{resource}", self.endpoint),
            ("GET", "/ari/bridges", self.bridges),
            ("POST", "/ari/bridges/{id}", self.create_bridge),
            ("DELETE", "/ari/bridges/{id}", self.delete_bridge),
            ("POST", "/ari/bridges/{id}/addChannel", self.add_channels),
            ("POST", "/ari/bridges/{id}/removeChannel", self.remove_channels),
        ):
            site.router.add_route(method, path, handler)
        return site

    # --- events and applications ------------------------------------------------------------------------

    async def events(self, request: web.Request) -> web.WebSocketResponse:
        websocket = web.WebSocketResponse(autoping=not self.mute)
        await websocket.prepare(request)
        outbox: asyncio.Queue[Json] = asyncio.Queue()
        name = request.query["app"]
        send = outbox.put_nowait
        self.world.register(name, send)
        self.sockets.add(websocket)
        writer = asyncio.create_task(self._write(websocket, outbox))
        try:
            async for message in websocket:
                if message.type is WSMsgType.ERROR:
                    break
        finally:
            writer.cancel()
            self.sockets.discard(websocket)
            self.world.unregister(name, send)
        return websocket

    async def _write(self, websocket: web.WebSocketResponse, outbox: asyncio.Queue[Json]) -> None:
        while True:
            await websocket.send_str(json.dumps(await outbox.get()))

    async def user_event(self, request: web.Request) -> web.Response:
        variables = (await request.json())["variables"]
        self.world.user_event(request.query["application"], request.match_info["name"], variables)
        return web.Response(status=204)

    async def info(self, request: web.Request) -> web.Response:
        started = self.world.startup_time
        return web.json_response(
            {
                "build": {},
                "system": {"version": "22.10.1", "entity_id": "02:00:00:00:00:01"},
                "config": {"name": "", "default_language": "en"},
                "status": {"startup_time": started, "last_reload_time": started},
            }
        )

    async def applications(self, request: web.Request) -> web.Response:
        return web.json_response([app_json(app, self.world) for app in self.world.apps.values()])

    async def application(self, request: web.Request) -> web.Response:
        return web.json_response(app_json(self.world.app(request.match_info["app"]), self.world))

    async def subscribe(self, request: web.Request) -> web.Response:
        app = self.world.follow(request.match_info["app"], request.query["eventSource"], True)
        return web.json_response(app_json(app, self.world))

    async def unsubscribe(self, request: web.Request) -> web.Response:
        app = self.world.follow(request.match_info["app"], request.query["eventSource"], False)
        return web.json_response(app_json(app, self.world))

    async def filter(self, request: web.Request) -> web.Response:
        app = self.world.app(request.match_info["app"])
        app.disallowed = [each["type"] for each in (await request.json())["disallowed"]]
        return web.json_response(app_json(app, self.world))

    # --- channels ---------------------------------------------------------------------------------------

    async def channels(self, request: web.Request) -> web.Response:
        return web.json_response([channel.json for channel in self.world.channels.values()])

    async def get_channel(self, request: web.Request) -> web.Response:
        return web.json_response(self._channel(request).json)

    async def originate(self, request: web.Request) -> web.Response:
        if self.dial is None:
            raise INTERNAL
        return web.json_response(self.dial(request.match_info["id"], dict(request.query)).json)

    async def endpoint(self, request: web.Request) -> web.Response:
        technology, resource = request.match_info["technology"], request.match_info["resource"]
        if technology != "PJSIP":
            raise Refused(404, "Endpoint not found")
        state = "online" if self.registered(resource) else "offline"
        told = {"technology": technology, "resource": resource, "state": state, "channel_ids": []}
        return web.json_response(told)

    async def answer(self, request: web.Request) -> web.Response:
        self.world.answer(self._in_app(request))
        return web.Response(status=204)

    async def hang_up(self, request: web.Request) -> web.Response:
        cause = int(request.query.get("reason_code", "16"))
        channel = self._channel(request)
        # The reply comes first, the hanging up is done by the channel's own thread.
        asyncio.get_running_loop().call_soon(self._hang_up_if_there, channel, cause)
        return web.Response(status=204)

    def _hang_up_if_there(self, channel: Channel, cause: int) -> None:
        if channel.id in self.world.channels:
            self.world.hang_up(channel, cause, soft=True)

    async def continue_(self, request: web.Request) -> web.Response:
        channel = self._in_app(request)
        self.world.leave(channel)
        place = request.query.get("context", ""), request.query.get("extension", "")
        self.world.handed_over.append((channel.id, *place, dict(channel.variables)))
        channel.context, channel.exten = place[0] or channel.context, place[1] or channel.exten
        channel.runs = "Wait" if place == ("voicebot-talk", "wait") else ""
        if place == ("voicebot-talk", "talk"):
            asyncio.get_running_loop().call_soon(self.world.talk, channel)
        if not any(place):
            # Our dialplan goes on after Stasis(): it says a sentence and hangs up.
            asyncio.get_running_loop().call_soon(self._hang_up_if_there, channel, 41)
        return web.Response(status=204)

    async def mute_channel(self, request: web.Request) -> web.Response:
        self._in_app(request).muted = True
        return web.Response(status=204)

    async def unmute_channel(self, request: web.Request) -> web.Response:
        self._in_app(request).muted = False
        return web.Response(status=204)

    async def play(self, request: web.Request) -> web.Response:
        channel = self._in_app(request)
        channel.played.append(request.query["media"])
        return web.json_response({"id": self.world.new_id(), "media_uri": request.query["media"]}, status=201)

    async def set_variable(self, request: web.Request) -> web.Response:
        body = await request.json()
        self._channel(request).variables[body["variable"]] = body["value"]
        return web.Response(status=204)

    async def get_variable(self, request: web.Request) -> web.Response:
        name = request.query["variable"]
        if there := re.fullmatch(r"DIALPLAN_EXISTS\(([^,]*),.*\)", name):
            return web.json_response({"value": str(int(there[1] in self.contexts))})
        value = self._channel(request).variables.get(name)
        if value is None:
            raise Refused(404, "Provided variable was not found")
        return web.json_response({"value": value})

    async def external_media(self, request: web.Request) -> web.Response:
        world, query = self.world, request.query
        id_ = query.get("channelId") or world.new_id()
        world.check_new_id(id_)
        if query["format"] not in FORMATS:
            raise INTERNAL
        host, port = query["external_host"].rsplit(":", 1)
        rtp = RtpSocket(
            self._host,
            lambda payload, timestamp, marker: world.pass_on(channel, payload, timestamp, marker),
            lambda digit, ms: None,
        )
        rtp.remote = (host, int(port))
        channel = Channel(id_, f"UnicastRTP/{host}:{port}-0x7f", rtp)
        world.channels[id_] = channel
        local = {"UNICASTRTP_LOCAL_ADDRESS": rtp.host, "UNICASTRTP_LOCAL_PORT": str(rtp.port)}
        reply = channel.json | {"channelvars": local}
        # Its thread starts now: the StasisStart comes before or after the reply, nobody knows.
        asyncio.get_running_loop().call_soon(self._start_media, channel, query["app"])
        return web.json_response(reply)

    async def snoop(self, request: web.Request) -> web.Response:
        world, query, id_ = self.world, request.query, request.match_info["snoop"]
        target = self._channel(request)
        world.check_new_id(id_)
        channel = snoop(world, target, id_, query.get("spy", "none"), query.get("whisper", "none"))
        world.channels[id_] = channel
        asyncio.get_running_loop().call_soon(self._start_media, channel, query["app"])
        return web.json_response(channel.json)

    def _start_media(self, channel: Channel, app: str) -> None:
        if channel.id not in self.world.channels:
            return
        channel.state = "Up"
        if not self.world.enter(channel, app, made_by_app=True):
            self.world.hang_up(channel, 16, soft=True)  # an unknown application: the channel just vanishes

    # --- bridges ----------------------------------------------------------------------------------------

    async def bridges(self, request: web.Request) -> web.Response:
        return web.json_response([bridge.json for bridge in self.world.bridges.values()])

    async def create_bridge(self, request: web.Request) -> web.Response:
        id_ = request.match_info["id"]
        if id_ in self.world.bridges:
            raise Refused(409, f"Bridge with id '{id_}' already exists")
        bridge = self.world.bridges[id_] = Bridge(id_, request.query.get("name", ""))
        return web.json_response(bridge.json)

    async def delete_bridge(self, request: web.Request) -> web.Response:
        self.world.delete_bridge(self._bridge(request))
        return web.Response(status=204)

    async def add_channels(self, request: web.Request) -> web.Response:
        bridge = self._bridge(request)
        channels = [self.world.channel(id_, 400) for id_ in request.query["channel"].split(",")]
        if not all(channel.app for channel in channels):
            raise Refused(422, "Channel not in Stasis application")
        for channel in channels:
            self.world.join(bridge, channel)
        return web.Response(status=204)

    async def remove_channels(self, request: web.Request) -> web.Response:
        bridge = self._bridge(request)
        channels = [self.world.channel(id_, 400) for id_ in request.query["channel"].split(",")]
        if any(channel.bridge is not bridge for channel in channels):
            raise Refused(422, "Channel not in this bridge")
        for channel in channels:
            self.world.part(channel)
        return web.Response(status=204)

    def _channel(self, request: web.Request) -> Channel:
        return self.world.channel(request.match_info["id"])

    def _in_app(self, request: web.Request) -> Channel:
        channel = self._channel(request)
        if not channel.app:
            raise Refused(409, "Channel not in Stasis application")
        return channel

    def _bridge(self, request: web.Request) -> Bridge:
        return self.world.bridge(request.match_info["id"])
