"""Conferences as others see them: ready for JSON by `as_dict()`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from voicebot.conference.participant import MutedRule, Participant
from voicebot.config import ConferenceConfig
from voicebot.switchboard.conferences.room import LiveRoom


@dataclass(frozen=True, slots=True)
class ParticipantView:
    """Somebody in a room. `since_at`: seconds of the epoch.

    id:      the id of their call; of a telephone that was invited its channel's; `bot`
    muted:   nobody hears them; a guest who waits for the host is not heard either, and not muted
    hand:    raised by key
    talking: says something now
    """

    id: str
    name: str
    number: str
    host: bool
    muted: bool
    video: bool
    bot: bool
    talking: bool
    hand: bool
    since_at: float


@dataclass(frozen=True, slots=True)
class InvitationView:
    """A telephone that rings."""

    id: str
    who: str
    by: str
    since_at: float


@dataclass(frozen=True, slots=True)
class RoomView:
    """A configured conference, with whoever is in it just now.

    muted_rule: who enters muted: `nobody`, `guests`, `all`
    waiting:    guests wait for a host
    most:       participants at once
    dialog:     of the bot that is there, "" where there is none
    since_at:   when the first participant came, seconds of the epoch; None while it is empty
    recordings: names of its wav files, in the folder of that day's calls
    """

    name: str
    title: str
    video: bool
    locked: bool = False
    recording: bool = False
    waiting: bool = False
    muted_rule: MutedRule = "nobody"
    most: int = 0
    dialog: str = ""
    since_at: float | None = None
    participants: tuple[ParticipantView, ...] = ()
    invitations: tuple[InvitationView, ...] = ()
    recordings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def empty_view(name: str, config: ConferenceConfig, invitations: tuple[InvitationView, ...] = ()) -> RoomView:
    return RoomView(
        name,
        config.title or name,
        config.video,
        muted_rule=config.muted,
        most=config.most,
        invitations=invitations,
    )


def view_of(live: LiveRoom, dialog: str, invitations: tuple[InvitationView, ...] = ()) -> RoomView:
    room = live.room
    return RoomView(
        name=live.name,
        title=live.config.title or live.name,
        video=live.config.video,
        locked=room.locked,
        recording=room.recording,
        waiting=room.waiting,
        muted_rule=room.muted,
        most=live.config.most,
        dialog=dialog,
        since_at=live.began_at.timestamp(),
        participants=tuple(map(_participant, room.participants)),
        invitations=invitations,
        recordings=tuple(live.recordings),
    )


def _participant(who: Participant) -> ParticipantView:
    return ParticipantView(
        id=who.id,
        name=who.name,
        number=who.number,
        host=who.host,
        muted=who.muted,
        video=who.video,
        bot=who.bot,
        talking=who.talking,
        hand=who.hand,
        since_at=who.since_at,
    )
