"""How texts in settings must look, and how that is told to who has written one otherwise."""

from __future__ import annotations

NAME = r"^[a-z0-9_-]{1,64}$"
"""Of queues, agents, conferences and panel users; they stand in addresses and file names."""
CHANNEL = r"^[A-Za-z0-9]+/[A-Za-z0-9_./@:+-]{1,120}$"
"""A channel that may be dialled: technology and resource, without options."""
SKILL = r"^[a-z0-9_-]{1,32}$"
KEY = r"^[0-9]$"
EXTENSION = r"^[A-Za-z0-9_+*#-]{0,64}$"
CONTEXT = r"^[A-Za-z0-9_-]{1,80}$"
APPLICATION = r"^[A-Za-z0-9_-]{1,64}$"
E164 = r"^(\+[0-9]{3,15})?$"

SAID = {
    NAME: "must be 1 to 64 small letters, digits, _ and -",
    CHANNEL: "must be a channel, technology and name: PJSIP/anna",
    SKILL: "must be 1 to 32 small letters, digits, _ and -",
    KEY: 'must be one digit in quotes: "1"',
    EXTENSION: "must be an extension of the dialplan: letters, digits, _, +, *, # and -",
    CONTEXT: "must be a context of the dialplan: letters, digits, _ and -",
    APPLICATION: "must be 1 to 64 letters, digits, _ and -",
    E164: "must be a number with its country: +12025550142",
}
