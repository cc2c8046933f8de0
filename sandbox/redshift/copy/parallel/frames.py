"""Messages between the endpoint and a process that converts for it: a length, then so many bytes."""

import struct
from typing import BinaryIO

_LENGTH = struct.Struct("!Q")


def write_frame(target: BinaryIO, *parts: bytes) -> None:
    """Send one message.

    Raises:
        OSError: The other side is gone.
    """
    target.write(_LENGTH.pack(sum(map(len, parts))))
    target.writelines(parts)
    target.flush()


def read_frame(source: BinaryIO) -> bytes | None:
    """The next message; None when the other side is gone."""
    head = source.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    body = source.read(length)
    return body if len(body) == length else None
