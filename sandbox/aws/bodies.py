"""Request bodies: received once the signature was checked, large ones on disk, and never without an end.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html: one PUT carries up to 5 GB.
"""

import contextlib
import hashlib
import io
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from sandbox.aws.refusals import RefusalError

MIB = 1024 * 1024
OBJECT_BYTES = 5 * 1024 * MIB
# The longest documents that S3 takes name 10,000 parts, or 1,000 keys of 1,024 bytes.
DOCUMENT_BYTES = 4 * MIB
# The other services' calls: the longest, a secret, has 64 KB.
CALL_BYTES = MIB
# A longer body lies in a file.
MEMORY_BYTES = 256 * 1024

_BLOCK = 256 * 1024
_OF_NOTHING = hashlib.md5(usedforsecurity=False).hexdigest(), hashlib.sha256().hexdigest()


class Source(Protocol):
    """The connection that a body comes from."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; none when the body has ended or the client has gone."""

    def readline(self, limit: int, /) -> bytes:
        """A line of up to `limit` bytes with its end."""


@dataclass(frozen=True)
class Body:
    """A received body; `path` is its file, None where it is in memory."""

    file: BinaryIO
    path: Path | None
    size: int
    md5: str
    sha256: str

    def take(self) -> Path | None:
        """Its file, if it has one, which is the caller's from now on."""
        return self.path.rename(self.path.with_suffix(".taken")) if self.path else None

    def discard(self) -> None:
        """Forget it, and remove its file unless somebody has taken that."""
        self.file.close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)


class Intake:
    """The folder of bodies that are on their way; what a killed process has left there is removed.

    Args:
        folder: On the file system where the bodies stay in the end.
    """

    def __init__(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        self._folder = folder

    def receive(self, blocks: Iterable[bytes], size: int | None, limit: int) -> Body:
        """Keep a body.

        Args:
            blocks: Its content.
            size: Its length, where that is known beforehand.
            limit: How long it may be.

        Raises:
            RefusalError: It is longer.
        """
        if size is not None and size > limit:
            raise _too_large(limit)
        if size == 0:
            return Body(io.BytesIO(), None, 0, *_OF_NOTHING)
        if size is not None and size <= MEMORY_BYTES:
            return _copy(blocks, io.BytesIO(), None, limit)
        with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
            path = Path(file.name)
        try:
            return _copy(blocks, path.open("r+b"), path, limit)
        except BaseException:
            path.unlink(missing_ok=True)
            raise


class Limited:
    """The next `length` bytes of a connection, as a source of their own."""

    def __init__(self, source: Source, length: int) -> None:
        self._source = source
        self.left = length

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes."""
        return self._taken(self._source.read(min(size, self.left)) if self.left else b"")

    def readline(self, limit: int, /) -> bytes:
        """A line of up to `limit` bytes."""
        return self._taken(self._source.readline(min(limit, self.left)) if self.left else b"")

    def _taken(self, data: bytes) -> bytes:
        self.left -= len(data)
        return data


def sized(source: Source, length: int) -> Iterator[bytes]:
    """The blocks of a body of `length` bytes.

    Raises:
        ConnectionError: The client has gone before its end.
    """
    while length > 0:
        block = source.read(min(length, _BLOCK))
        if not block:
            raise ConnectionResetError("the client went away in the middle of a body")
        length -= len(block)
        yield block


def _copy(blocks: Iterable[bytes], file: BinaryIO, path: Path | None, limit: int) -> Body:
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    size = 0
    with contextlib.ExitStack() as stack:
        stack.callback(file.close)
        for block in blocks:
            size += len(block)
            if size > limit:
                raise _too_large(limit)
            md5.update(block)
            sha256.update(block)
            file.write(block)
        file.seek(0)
        stack.pop_all()
    return Body(file, path, size, md5.hexdigest(), sha256.hexdigest())


def _too_large(limit: int) -> RefusalError:
    """The refusal of a body of more than `limit` bytes, in S3's words where they are S3's limits."""
    match limit:
        case _ if limit == OBJECT_BYTES:
            code, text = "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size"
        case _ if limit == DOCUMENT_BYTES:
            code, text = "MaxMessageLengthExceeded", "Your request was too large."
        case _:
            return RefusalError(
                "413 Request Entity Too Large", "RequestEntityTooLarge", f"A call has up to {limit} bytes."
            )
    return RefusalError("400 Bad Request", code, text)
