"""What went wrong, said in one line with the way to mend it."""


class Fault(Exception):
    """Ends the command with exit status 2 and one line: what is wrong, and what to do."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(f"{what} — {remedy}" if remedy else what)


class PortConflict(Fault):
    """A port is taken; where we choose the ports ourselves it is worth another try."""
