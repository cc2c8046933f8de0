"""What an error or a notice says to a client, whoever raises it: the dialect, a COPY, or PostgreSQL."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class ErrorFields:
    """What an ErrorResponse or NoticeResponse says.

    Args:
        sqlstate: Five characters.
        message: The primary message.
        detail: More about it, or None.
        hint: What to do about it, or None.
        severity: ERROR, FATAL, or a notice's INFO, NOTICE, WARNING.
        others: Further fields by their code letter, e.g. ``c`` for the column.
    """

    sqlstate: str
    message: str
    detail: str | None = None
    hint: str | None = None
    severity: str = "ERROR"
    others: tuple[tuple[str, str], ...] = ()

    def other(self, code: str) -> str:
        """A further field, empty when it is missing."""
        return dict(self.others).get(code, "")

    def without(self, *codes: str) -> "ErrorFields":
        """The same without the further fields of these codes."""
        return replace(self, others=tuple(pair for pair in self.others if pair[0] not in codes))
