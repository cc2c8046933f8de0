"""PostgreSQL protocol messages, version 3: reading and making them.

Source: PostgreSQL documentation, "Message Formats". Redshift speaks the same version.
"""

import struct

from sandbox.redshift.error_fields import ErrorFields

SSL_REQUEST = 80877103
GSSENC_REQUEST = 80877104
CANCEL_REQUEST = 80877102
PROTOCOL_3 = 196608
# Codes of authentication messages: asked for a password is whoever gets another one.
AUTHENTICATION_OK = 0
SASL = 10
SASL_FINAL = 12

FLUSH = b"H\x00\x00\x00\x04"
SYNC = b"S\x00\x00\x00\x04"
TERMINATE = b"X\x00\x00\x00\x04"
COPY_DONE = b"c\x00\x00\x00\x04"

_LENGTH = struct.Struct("!i")


def message(kind: str, body: bytes = b"") -> bytes:
    """One message: type byte, length, body."""
    return header(kind, len(body)) + body


def header(kind: str, size: int) -> bytes:
    """What comes before the body of a message."""
    return kind.encode() + _LENGTH.pack(size + 4)


def query(sql: bytes) -> bytes:
    """A Query message."""
    return message("Q", sql + b"\0")


def parse(name: bytes, sql: bytes, parameter_types: bytes = b"\0\0") -> bytes:
    """A Parse message; `parameter_types` is the raw count and OIDs of the client's message."""
    return message("P", name + b"\0" + sql + b"\0" + parameter_types)


def bind(portal: bytes, statement: bytes, values: list[bytes] | None = None) -> bytes:
    """A Bind message with text parameters and text results."""
    given = values or []
    parameters = b"".join(_LENGTH.pack(len(value)) + value for value in given)
    return message(
        "B",
        portal + b"\0" + statement + b"\0" + b"\0\0" + struct.pack("!h", len(given)) + parameters + b"\0\0",
    )


def describe_statement(name: bytes) -> bytes:
    """A Describe message for a prepared statement."""
    return message("D", b"S" + name + b"\0")


def execute(portal: bytes) -> bytes:
    """An Execute message without a row limit."""
    return message("E", portal + b"\0\0\0\0\0")


def close_statement(name: bytes) -> bytes:
    """A Close message for a prepared statement; PostgreSQL leaves its portals open."""
    return message("C", b"S" + name + b"\0")


def close_portal(name: bytes) -> bytes:
    """A Close message for a portal."""
    return message("C", b"P" + name + b"\0")


def copy_data(data: bytes) -> bytes:
    """A CopyData message."""
    return message("d", data)


def copy_fail(reason: str) -> bytes:
    """A CopyFail message: the server ends the COPY with an error."""
    return message("f", reason.encode() + b"\0")


def command_complete(tag: bytes) -> bytes:
    """A CommandComplete message."""
    return message("C", tag + b"\0")


def parameter_status(name: str, value: str) -> bytes:
    """A ParameterStatus message."""
    return message("S", f"{name}\0{value}\0".encode())


def error_response(fields: ErrorFields) -> bytes:
    """An ErrorResponse message."""
    return message("E", _fields_body(fields))


def notice_response(fields: ErrorFields) -> bytes:
    """A NoticeResponse message."""
    return message("N", _fields_body(fields))


def info(text: str) -> bytes:
    """A NoticeResponse of severity INFO, as Redshift sends after a COPY."""
    return notice_response(ErrorFields("00000", text, severity="INFO"))


def read_fields(body: bytes) -> ErrorFields:
    """The content of an ErrorResponse's or NoticeResponse's body."""
    parts = [part.decode(errors="replace") for part in body.split(b"\0") if part]
    fields = {part[0]: part[1:] for part in parts}
    known = "SVCMDH"
    return ErrorFields(
        sqlstate=fields.get("C", "XX000"),
        message=fields.get("M", ""),
        detail=fields.get("D"),
        hint=fields.get("H"),
        severity=fields.get("V") or fields.get("S", "ERROR"),
        others=tuple((code, text) for code, text in fields.items() if code not in known),
    )


def read_row(body: bytes) -> list[str | None]:
    """The text values of a DataRow's body; None for NULL."""
    (count,) = struct.unpack_from("!h", body)
    values: list[str | None] = []
    at = 2
    for _ in range(count):
        (length,) = _LENGTH.unpack_from(body, at)
        at += 4
        values.append(None if length < 0 else body[at : at + length].decode())
        at += max(length, 0)
    return values


def startup(parameters: dict[str, str]) -> bytes:
    """A StartupMessage of protocol version 3.0."""
    pairs = "".join(f"{name}\0{value}\0" for name, value in parameters.items())
    body = _LENGTH.pack(PROTOCOL_3) + pairs.encode() + b"\0"
    return _LENGTH.pack(len(body) + 4) + body


def read_startup(body: bytes) -> dict[str, str] | None:
    """The parameters of a StartupMessage's body (after the protocol version); None when it is malformed."""
    if body == b"\0":
        return {}
    if not body.endswith(b"\0\0"):
        return None
    words = body[:-2].decode(errors="replace").split("\0")
    if len(words) % 2 or not all(words[::2]):
        return None
    return dict(zip(words[::2], words[1::2], strict=True))


def read_query(body: bytes) -> bytes | None:
    """The text of a Query's body; None when it is malformed, and PostgreSQL will say so."""
    return body[:-1] if body.find(b"\0") == len(body) - 1 else None


def read_text(sql: bytes) -> str | None:
    """The text of a statement; None when it is not UTF-8, and PostgreSQL will say so."""
    try:
        return sql.decode()
    except UnicodeDecodeError:
        return None


def read_parse(body: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Name, text and raw parameter types of a Parse's body; None when it is malformed."""
    parts = body.split(b"\0", 2)
    if len(parts) < 3 or len(parts[2]) < 2:
        return None
    (count,) = struct.unpack_from("!H", parts[2])
    return (parts[0], parts[1], parts[2]) if len(parts[2]) == 2 + 4 * count else None


def read_bind_names(body: bytes) -> tuple[bytes, bytes] | None:
    """Portal and statement that the beginning of a Bind's body names; None when it does not."""
    parts = body.split(b"\0", 2)
    return (parts[0], parts[1]) if len(parts) == 3 else None


def read_execute(body: bytes) -> bytes | None:
    """The portal that an Execute's body names; None when it is malformed."""
    name, _, rest = body.partition(b"\0")
    return name if len(rest) == 4 else None


def read_close(body: bytes) -> tuple[bytes, bytes] | None:
    """Kind and name of a Close's body; None when it is malformed."""
    name = read_query(body[1:])
    return None if name is None else (body[:1], name)


def _fields_body(fields: ErrorFields) -> bytes:
    pairs = [("S", fields.severity), ("V", fields.severity), ("C", fields.sqlstate), ("M", fields.message)]
    pairs += [(code, text) for code, text in (("D", fields.detail), ("H", fields.hint)) if text is not None]
    pairs += fields.others
    # An error is told, whatever stands in its text.
    return b"".join(code.encode() + text.encode(errors="replace") + b"\0" for code, text in pairs) + b"\0"
