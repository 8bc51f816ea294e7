"""What a call needs to know of queues and conferences of our own, to which dialogs hand callers over."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from voicebot.call.stage import Stage
from voicebot.config import Route
from voicebot.dialog.turns import Handover
from voicebot.media.port import HeardFrame


class Attendant(Protocol):
    """Who has the caller's ear when no dialog has: a `MediaListener` that is told keys as well."""

    def heard(self, frame: HeardFrame) -> None: ...

    def prompt_started(self, prompt_id: int, at: float) -> None: ...

    def prompt_finished(self, prompt_id: int, at: float) -> None: ...

    def press(self, digit: str) -> None:
        """The caller pressed a key."""
        ...


class Company(Protocol):
    """The person who has the caller now, as supervisors need it.

    name:        as people know them
    channel_id:  of their telephone
    """

    @property
    def name(self) -> str: ...

    @property
    def channel_id(self) -> str: ...

    async def keep(self, who: str, wanted: bool) -> None:
        """Keep our media in the bridge of the two for `who` (listens, speaks, records), or no more."""
        ...


@runtime_checkable
class Mender(Protocol):
    """An attendant who wants to know when the call's media, or its bridge, were lost and made anew."""

    def media_replaced(self) -> None: ...


class Presenter(Protocol):
    """The call, as those see it whom a caller is handed over to.

    company: is to be set while a person has the caller
    """

    stage: Stage
    company: Company | None

    @property
    def route(self) -> Route:
        """The route that the call came by: who speaks, and how."""
        ...

    def attend(self, attendant: Attendant | None) -> None:
        """Let `attendant` hear the caller and be told their keys from now on; None: nobody."""
        ...


class People(Protocol):
    """Queues and conferences of our own."""

    def takes(self, handover: Handover) -> bool:
        """Whether this hand-over is to one of ours, not to the dialplan's."""
        ...

    async def serve(self, presenter: Presenter, handover: Handover) -> Handover | None:
        """Care for the caller, whose leg and media are `presenter.stage`'s, until it is over.

        Returns where the dialplan shall go on with the caller, None where the call is over: then it is hung
        up. Cancelled when the caller hangs up; whatever was done is undone then.
        """
        ...
