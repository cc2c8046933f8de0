"""INTERVAL values between redshift_connector and PostgreSQL, which write them differently in binary.

The driver reads and sends twelve bytes: microseconds, days and months of 8, 2 and 2 (its type_utils.py,
interval_recv_integer and interval_send_integer). PostgreSQL has sixteen: 8, 4 and 4. Redshift's ancestor,
PostgreSQL 8.0, had no days of their own: they are microseconds.
"""

import struct

from sandbox.redshift.relay import messages
from sandbox.redshift.relay.requests import Request

_DRIVER = "Redshift Python Driver"
_INTERVAL_OID = 1186
_MICROSECONDS_OF_A_DAY = 86_400_000_000
_SHORT, _LONG = struct.Struct("!qhh"), struct.Struct("!qii")
_LENGTH = struct.Struct("!i")
_COUNT = struct.Struct("!h")
# What follows a field's name: table, column, type, size, modifier, format.
_FIELD = struct.Struct("!ihihih")
# The driver keeps a thousand statements.
_MOST_PLACES = 2_000


class Intervals:
    """Where the prepared statements of one session have intervals.

    The driver describes every statement before it binds it, to the portal without a name.

    Args:
        driver: What the client calls itself; only redshift_connector's intervals are rewritten.
    """

    def __init__(self, driver: str) -> None:
        self._active = driver.startswith(_DRIVER)
        self._bound = b""
        # By the letter of the message that tells them (t parameters, T columns) and the statement.
        self._places: dict[tuple[str, bytes], frozenset[int]] = {}

    def describe(self, body: bytes) -> Request:
        """The request that a Describe with this body is."""
        of_statement = self._active and body[:1] == b"S"
        return Request("D", statement=body[1:-1] if of_statement else b"")

    def executed(self, portal: bytes | None) -> bytes:
        """The statement whose rows the portal gives, or nothing."""
        return self._bound if portal == b"" else b""

    def bind(self, portal: bytes, statement: bytes, body: bytes = b"") -> bytes:
        """The body of a Bind as PostgreSQL reads it."""
        if self._active and not portal:
            self._bound = statement
        places = self._places.get(("t", statement))
        return _bound(body, places) if places and body else body

    def close(self, kind: bytes, name: bytes) -> None:
        """Forget a statement (S)."""
        if kind == b"S":
            self._places.pop(("t", name), None)
            self._places.pop(("T", name), None)

    def learn(self, statement: bytes, kind: str, body: bytes) -> None:
        """Note what a ParameterDescription or RowDescription says about a statement."""
        oids = _parameter_types(body) if kind == "t" else _column_types(body)
        self._places.pop((kind, statement), None)
        if places := frozenset(at for at, oid in enumerate(oids) if oid == _INTERVAL_OID):
            self._places[kind, statement] = places
        if len(self._places) > _MOST_PLACES:
            del self._places[next(iter(self._places))]

    def are_in(self, statement: bytes) -> bool:
        """Whether rows of the statement hold intervals."""
        return bool(statement) and ("T", statement) in self._places

    def row(self, statement: bytes, body: bytes) -> bytes:
        """A DataRow message as the driver reads it.

        Raises:
            ConnectionError: The driver has no room for an interval.
        """
        places = self._places.get(("T", statement), frozenset())
        values, _ = _values(body, 0)
        written = [_shortened(value) if at in places else value for at, value in enumerate(values)]
        return messages.message("D", _written(written))


def _parameter_types(body: bytes) -> list[int]:
    return [oid for (oid,) in struct.iter_unpack("!i", body[2:])]


def _column_types(body: bytes) -> list[int]:
    oids = []
    at = _COUNT.size
    while at < len(body):
        at = body.index(b"\0", at) + 1
        oids.append(_FIELD.unpack_from(body, at)[2])
        at += _FIELD.size
    return oids


def _bound(body: bytes, places: frozenset[int]) -> bytes:
    """A Bind whose intervals are PostgreSQL's; a malformed one gets PostgreSQL's own answer."""
    try:
        names_end = body.index(b"\0", body.index(b"\0") + 1) + 1
        (count,) = _COUNT.unpack_from(body, names_end)
        formats = struct.unpack_from(f"!{count}h", body, names_end + _COUNT.size)
        start = names_end + _COUNT.size * (1 + count)
        values, end = _values(body, start)
    except (struct.error, ValueError):
        return body
    every = formats * len(values) if count == 1 else formats
    binary = {at for at, code in enumerate(every) if code == 1}
    written = [_lengthened(value) if at in places & binary else value for at, value in enumerate(values)]
    return body[:start] + _written(written) + body[end:]


def _values(body: bytes, at: int) -> tuple[list[bytes | None], int]:
    """The values that are counted at `at`, None for NULL, and where they end."""
    (count,) = _COUNT.unpack_from(body, at)
    at += _COUNT.size
    values: list[bytes | None] = []
    for _ in range(count):
        (length,) = _LENGTH.unpack_from(body, at)
        at += _LENGTH.size
        values.append(None if length < 0 else body[at : at + length])
        at += max(length, 0)
    return values, at


def _written(values: list[bytes | None]) -> bytes:
    parts = [_COUNT.pack(len(values))]
    for value in values:
        parts += [_LENGTH.pack(-1)] if value is None else [_LENGTH.pack(len(value)), value]
    return b"".join(parts)


def _shortened(value: bytes | None) -> bytes | None:
    if value is None or len(value) != _LONG.size:
        return value
    microseconds, days, months = _LONG.unpack(value)
    try:
        return _SHORT.pack(microseconds + days * _MICROSECONDS_OF_A_DAY, 0, months)
    except struct.error as error:
        raise ConnectionError("redshift_connector cannot read such an interval; the session ends") from error


def _lengthened(value: bytes | None) -> bytes | None:
    return _LONG.pack(*_SHORT.unpack(value)) if value and len(value) == _SHORT.size else value
