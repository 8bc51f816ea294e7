"""A conference room as a state machine: who is in, who is heard, what is due.

Every method that changes something returns the commands that follow from it, for the shell to carry out.
Nothing waits here, and nothing is known of Asterisk. Times are passed in: `now` in seconds of any steady
clock, `since_at` of a participant in seconds of the epoch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from voicebot.conference.commands import (
    Announce,
    Close,
    Command,
    Hint,
    Hush,
    Music,
    Record,
    Refusal,
    Removal,
    Remove,
    Tell,
)
from voicebot.conference.keys import FOR_HOSTS, KeyCommand, KeyReader
from voicebot.conference.participant import MutedRule, Participant, Rules

Commands = tuple[Command, ...]


class Refused(Exception):
    """Somebody may not join. `why` says the reason."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(why)
        self.why: Refusal = why


class NotThere(LookupError):
    """Nobody of this id is in the room."""


class Room:
    """One conference, from its first participant to its last. An empty room is over, and stays so."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.locked = False
        self.recording = False
        self.over = False
        self.muted: MutedRule = rules.muted
        self._there: dict[str, Participant] = {}
        self._keys: dict[str, KeyReader] = {}
        self._hushed: set[str] = set()
        self._music = False

    # --- how it stands ----------------------------------------------------------------------------------

    @property
    def participants(self) -> tuple[Participant, ...]:
        """In the order in which they came; the bot, if there is one, is among them."""
        return tuple(self._there.values())

    @property
    def people(self) -> tuple[Participant, ...]:
        return tuple(each for each in self._there.values() if not each.bot)

    @property
    def waiting(self) -> bool:
        """Whether guests wait for a host."""
        return self.rules.wait_for_host and not any(each.host for each in self._there.values())

    def __contains__(self, id_: object) -> bool:
        return id_ in self._there

    def of(self, id_: str) -> Participant:
        """Return a participant. Raises NotThere."""
        try:
            return self._there[id_]
        except KeyError:
            raise NotThere(id_) from None

    def refusal(self, host: bool) -> Refusal | None:
        """Return why somebody may not join now, None where they may. A lock keeps guests out, not hosts."""
        if self.over:
            return "over"
        if self.locked and not host:
            return "locked"
        if len(self.people) >= self.rules.most:
            return "full"
        return None

    # --- coming and going -------------------------------------------------------------------------------

    def join(self, who: Participant) -> Commands:
        """Let somebody in. Raises Refused; the bot is never refused, but by a room that is over."""
        why = self.refusal(who.host) if not who.bot else "over" if self.over else None
        if why is not None:
            raise Refused(why)
        if who.id in self._there:
            raise ValueError(f"{who.id} is in the room already")
        first = not self.people
        enters_muted = not who.bot and (self.muted == "all" or (self.muted == "guests" and not who.host))
        self._there[who.id] = replace(who, muted=enters_muted, talking=False, hand=False, allowed=False)
        self._keys[who.id] = KeyReader()
        commands: list[Command] = []
        if first and self.rules.record and not who.bot:
            self.recording = True
            commands.append(Record(True))
        commands += self._settled()
        if not who.bot and not self.waiting and len(self.people) > 1:
            commands += self._announce("comes", who.name)
        if self.recording and who.unaware:
            commands.append(Announce("recorded"))
        return tuple(commands)

    def leave(self, id_: str) -> Commands:
        """Somebody is gone, whatever the reason. Nothing happens where they were not there."""
        who = self._there.pop(id_, None)
        if who is None:
            return ()
        del self._keys[id_]
        self._hushed.discard(id_)
        if not self.people:
            return self._close("ended")
        was_last_host = who.host and not any(each.host for each in self._there.values())
        if was_last_host and self.rules.ends_with_host:
            return self.end("no_host")
        commands = list(self._settled())
        if not who.bot and not self.waiting and not self.over:
            commands += self._announce("goes", who.name)
        return tuple(commands)

    def kick(self, id_: str) -> Commands:
        """Show somebody the door. Raises NotThere."""
        self.of(id_)
        return (Remove(id_, "kicked"), *self.leave(id_))

    def end(self, why: Removal = "ended") -> Commands:
        """Everybody has to go."""
        return self._close(why)

    def _close(self, why: Removal) -> Commands:
        if self.over:
            return ()
        self.over = True
        commands: list[Command] = []
        if self._music:
            self._music = False
            commands.append(Music(False))
        if self.recording:
            self.recording = False
            commands.append(Record(False))
        commands += [Remove(id_, why) for id_ in self._there]
        self._there.clear()
        self._keys.clear()
        self._hushed.clear()
        return (*commands, Close())

    # --- who is heard -----------------------------------------------------------------------------------

    def mute(self, id_: str) -> Commands:
        """A host or supervisor lets somebody be silent. Raises NotThere."""
        return self._set_muted(id_, True, allowed=False)

    def unmute(self, id_: str) -> Commands:
        """A host or supervisor lets somebody speak; a raised hand is answered so. Raises NotThere."""
        self._change(id_, hand=False)
        return self._set_muted(id_, False, allowed=True)

    def mute_all(self) -> Commands:
        """Mute all guests, those to come as well; they speak when they are let."""
        self.muted = "guests"
        for each in self.people:
            if not each.host:
                self._change(each.id, muted=True, allowed=False)
        return tuple(self._settled())

    def unmute_all(self) -> Commands:
        """Let everybody speak, those to come as well."""
        self.muted = "nobody"
        for each in self.people:
            self._change(each.id, muted=False, hand=False)
        return tuple(self._settled())

    def lock(self, on: bool = True) -> Commands:
        """Keep guests out from now on, or let them in again."""
        self.locked = on
        return ()

    def record(self, on: bool) -> Commands:
        """Begin or end to record; everybody hears of it."""
        if self.over or on == self.recording:
            return ()
        self.recording = on
        return (Record(on), Announce("recorded" if on else "not_recorded"))

    def talks(self, id_: str, on: bool) -> bool:
        """Take down who speaks; True where that is news. Who is not heard does not talk."""
        who = self._there.get(id_)
        on = on and who is not None and id_ not in self._hushed
        if who is None or who.talking == on:
            return False
        self._change(id_, talking=on)
        return True

    def shows(self, id_: str, video: bool) -> None:
        """Take down whether somebody has a picture."""
        if id_ in self._there:
            self._change(id_, video=video)

    # --- keys -------------------------------------------------------------------------------------------

    def press(self, id_: str, digit: str, now: float) -> Commands:
        """A participant pressed a key: *5 hand, *6 mute, and for hosts *7 lock, *8 mute all, *9 end."""
        keys = self._keys.get(id_)
        command = keys.press(digit, now) if keys is not None else None
        if command is None:
            return ()
        who = self._there[id_]
        if command in FOR_HOSTS and not who.host:
            return (Tell(id_, "not_allowed"),)
        return self._obey(who, command)

    def _obey(self, who: Participant, command: KeyCommand) -> Commands:
        match command:
            case "hand":
                self._change(who.id, hand=not who.hand)
                return (Tell(who.id, "hand_down" if who.hand else "hand_up"),)
            case "mute":
                return self._toggle(who)
            case "lock":
                hint: Hint = "unlocked" if self.locked else "locked"
                return (*self.lock(not self.locked), Tell(who.id, hint))
            case "mute_all":
                if self.muted == "guests":
                    return (*self.unmute_all(), Tell(who.id, "unmuted"))
                return (*self.mute_all(), Tell(who.id, "muted"))
            case "end":
                return self.end()

    def _toggle(self, who: Participant) -> Commands:
        if not who.muted:
            return (*self._set_muted(who.id, True, who.allowed), Tell(who.id, "muted"))
        if self.muted == "guests" and not who.host and not who.allowed:
            return (Tell(who.id, "not_allowed"),)
        return (*self._set_muted(who.id, False, who.allowed), Tell(who.id, "unmuted"))

    # --- parts ------------------------------------------------------------------------------------------

    def _change(self, id_: str, **values: bool) -> None:
        self._there[id_] = replace(self.of(id_), **values)  # type: ignore[arg-type]

    def _set_muted(self, id_: str, on: bool, allowed: bool) -> Commands:
        self._change(id_, muted=on, allowed=allowed)
        return tuple(self._settled())

    def _settled(self) -> Iterator[Command]:
        """Tell what follows from who is there now: who is hushed, and whether music plays."""
        for who in self.people:
            hushed = who.muted or (self.waiting and not who.host)
            if hushed != (who.id in self._hushed):
                (self._hushed.add if hushed else self._hushed.discard)(who.id)
                if hushed:
                    self._change(who.id, talking=False)
                yield Hush(who.id, hushed)
        music = bool(self.people) and (self.waiting or len(self._there) == 1)
        if music != self._music:
            self._music = music
            yield Music(music)

    def _announce(self, what: str, name: str) -> Commands:
        if self.rules.announce == "no":
            return ()
        said = name if self.rules.announce == "name" else ""
        return (Announce("comes" if what == "comes" else "goes", said),)
