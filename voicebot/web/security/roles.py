"""Roles, and what each may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

LOCAL = "local"
"""Name of who sends the local token: from this machine, and may read `var`."""
OPERATOR = "operator"
"""Name of who signs in by a link without being a user."""


class Role(StrEnum):
    """What a person or machine is to the house.

    viewer sees; supervisor acts on calls, queues, conferences and campaigns; author sees, and works on
    dialogs; admin does everything, users and tokens included.
    """

    VIEWER = "viewer"
    SUPERVISOR = "supervisor"
    AUTHOR = "author"
    ADMIN = "admin"


_INCLUDES = {
    Role.VIEWER: {Role.VIEWER},
    Role.SUPERVISOR: {Role.VIEWER, Role.SUPERVISOR},
    Role.AUTHOR: {Role.VIEWER, Role.AUTHOR},
    Role.ADMIN: set(Role),
}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks. `csrf`: the token that their browser has to send with every change; "" for machines.

    session, token: the stored hash of the one that was sent, "" for the other
    """

    name: str
    role: Role
    csrf: str = ""
    session: str = ""
    sessions_end_at: float = 0.0
    token: str = ""

    def may(self, role: Role | str) -> bool:
        """Whether they may do what `role` is needed for. Templates ask it: `who.may("supervisor")`."""
        return Role(role) in _INCLUDES[self.role]
