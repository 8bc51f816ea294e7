"""Session descriptions (RFC 8866), offer and answer (RFC 3264): narrowband audio, and pictures. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

ULAW = 0
"""Static payload type of G.711 mu-law (RFC 3551, table 4)."""
TELEPHONE_EVENT = 101
"""Our dynamic payload type for RFC 4733 events."""
VP8 = 96
"""Our dynamic payload type for pictures."""
PTIME_MS = 20


class SdpError(ValueError):
    """The session description offers no audio that we can take part in."""


@dataclass(frozen=True, slots=True)
class VideoStream:
    """One stream of pictures; `port` 0: it is not wanted. `direction` as the describing side sees it."""

    host: str
    port: int
    payload_type: int = VP8
    direction: str = "sendrecv"


@dataclass(frozen=True, slots=True)
class Media:
    """Where the far side wants its audio.

    telephone_event: its payload type for RFC 4733 events at 8000 Hz, None if it takes none
    direction:       `sendrecv`, `sendonly`, `recvonly`, `inactive`, as the far side sees it
    video:           its streams of pictures, in order
    """

    host: str
    port: int
    telephone_event: int | None = TELEPHONE_EVENT
    direction: str = "sendrecv"
    video: tuple[VideoStream, ...] = ()


def describe(
    host: str,
    port: int,
    session: int,
    version: int = 1,
    direction: str = "sendrecv",
    video: Sequence[VideoStream] = (),
) -> bytes:
    """Write our own description: mu-law and telephone events, 20 ms packets, received at host:port."""
    lines = [
        "v=0",
        f"o=- {session} {version} IN IP4 {host}",
        "s=-",
        f"c=IN IP4 {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {ULAW} {TELEPHONE_EVENT}",
        f"a=rtpmap:{ULAW} PCMU/8000",
        f"a=rtpmap:{TELEPHONE_EVENT} telephone-event/8000",
        f"a=fmtp:{TELEPHONE_EVENT} 0-15",
        f"a=ptime:{PTIME_MS}",
        f"a={direction}",
    ]
    for stream in video:
        lines += [
            f"m=video {stream.port} RTP/AVP {stream.payload_type}",
            f"a=rtpmap:{stream.payload_type} VP8/90000",
            f"a={stream.direction}",
        ]
    return ("\r\n".join(lines) + "\r\n").encode()


def read(body: bytes) -> Media:
    """Read the far side's description. Raises SdpError where it has no mu-law audio."""
    host, port, event, direction = "", 0, None, "sendrecv"
    in_audio, in_session, payloads = False, True, set[str]()
    pictures: list[VideoStream] = []
    for line in body.decode("utf-8", "replace").splitlines():
        if line.startswith("m="):
            in_session = False
            found = re.match(r"m=audio (\d+)(?:/\d+)? RTP/AVPF? (.+)", line)
            in_audio = found is not None and not port
            if found and in_audio:
                port, payloads = int(found[1]), set(found[2].split())
            elif found := re.match(r"m=video (\d+) \S+ (\d+)", line):
                pictures.append(VideoStream("", int(found[1]), int(found[2])))
        elif pictures and not in_audio:
            pictures[-1] = _with(pictures[-1], line)
        elif not (in_audio or in_session):
            continue
        elif found := re.match(r"c=IN IP4 ([^/\s]+)", line):
            host = found[1]
        elif found := re.match(r"a=rtpmap:(\d+) telephone-event/8000", line, re.IGNORECASE):
            event = int(found[1])
        elif found := re.match(r"a=(sendrecv|sendonly|recvonly|inactive)\s*$", line):
            direction = found[1]
    if not port or not host:
        raise SdpError("no audio stream in the session description")
    if str(ULAW) not in payloads:
        raise SdpError("the far side does not take G.711 mu-law")
    video = tuple(replace(each, host=each.host or host) for each in pictures)
    return Media(host, port, event, direction, video)


def _with(stream: VideoStream, line: str) -> VideoStream:
    """Return a stream with what one more line says of it."""
    if found := re.match(r"c=IN IP4 ([^/\s]+)", line):
        return replace(stream, host=found[1])
    if found := re.match(r"a=rtpmap:(\d+) VP8/90000", line, re.IGNORECASE):
        return replace(stream, payload_type=int(found[1]))
    if found := re.match(r"a=(sendrecv|sendonly|recvonly|inactive)\s*$", line):
        return replace(stream, direction=found[1])
    return stream


def answered(offered: Sequence[VideoStream], host: str, port: int) -> tuple[VideoStream, ...]:
    """Answer offered pictures: all are received at one port; none is wanted where `port` is 0."""
    return tuple(
        VideoStream(host, port if each.port else 0, each.payload_type, mirrored(each.direction))
        for each in offered
    )


def mirrored(direction: str) -> str:
    """Return the answer to an offered direction (RFC 3264, 6.1)."""
    return {"sendonly": "recvonly", "recvonly": "sendonly"}.get(direction, direction)
