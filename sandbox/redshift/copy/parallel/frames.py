"""Messages between the endpoint and a process that converts for it: a length, then so many bytes."""

import struct
from typing import BinaryIO

_LENGTH = struct.Struct("!Q")


def write_frames(target: BinaryIO, *messages: bytes) -> None:
    """Send messages.

    Raises:
        OSError: The other side is gone.
    """
    for message in messages:
        target.write(_LENGTH.pack(len(message)))
        target.write(message)
    target.flush()


def read_frame(source: BinaryIO) -> bytes | None:
    """The next message; None when the other side is gone."""
    head = source.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    body = source.read(length)
    return body if len(body) == length else None
