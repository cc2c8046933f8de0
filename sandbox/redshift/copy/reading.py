"""Files read ahead of the conversion, and their bytes as UTF-8."""

import bz2
import codecs
import datetime as dt
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import zstandard

from sandbox.redshift.copy.errors import CopyError, s3_error
from sandbox.redshift.copy.options import Options
from sandbox.redshift.copy.s3 import BLOCK_BYTES, MissingObjectError, S3Reader, missing_key
from sandbox.redshift.copy.source import SourceFile

# A small object is read whole ahead of its turn; of a large one only the request is under way. Four threads
# keep a local server busy, and eight of their errands ahead bound what is held here and there.
_SMALL_BYTES = 1024 * 1024
_THREADS = 4
_AHEAD = 8
# Tiny files are fetched several on an errand: to send a thread costs as much as a request.
_FILES_AN_ERRAND = 16
_SLICE_BYTES = 16 * 1024
# What `zstd --ultra` writes needs no larger one. A block of four bytes may stand for 128 KiB, and the library
# limits no output: so many bytes at a time give 4 MiB at most.
_ZSTD_WINDOW = 128 * 1024 * 1024
_ZSTD_SLICE = 128


@dataclass(frozen=True)
class FileContent:
    """One file's address, size in bytes as stored, bytes as stored, and what S3 says of its version."""

    url: str
    size: int
    blocks: Iterable[bytes]
    etag: str = ""
    last_modified: dt.datetime | None = None


# What an errand brings for a file: the file, nothing because there is none, or why it cannot be read.
_Fetched = FileContent | CopyError | None


def read_ahead(files: Sequence[SourceFile], reader: S3Reader) -> Iterator[FileContent]:
    """The files that exist, in order, while the next ones are being fetched.

    Raises:
        CopyError: A mandatory file is missing, none of the files exists, or S3 refuses.
    """
    waiting = _errands(files)
    pending: deque[tuple[Sequence[SourceFile], Future[list[_Fetched]]]] = deque()
    found = False
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="copy-s3") as pool:
        try:
            while True:
                while len(pending) < _AHEAD and (errand := next(waiting, None)):
                    pending.append((errand, pool.submit(_fetch, errand, reader)))
                if not pending:
                    break
                errand, future = pending.popleft()
                for file, content in zip(errand, future.result(), strict=False):
                    if isinstance(content, CopyError):
                        raise content
                    if content is None and file.mandatory:
                        raise missing_key(file.address)
                    if content is not None:
                        found = True
                        yield content
        finally:
            for _, future in pending:
                future.cancel()
    if not found:
        raise s3_error(
            "None of the files listed in the manifest exists",
            context=", ".join(file.address.url for file in files[:3]),
        )


def _errands(files: Sequence[SourceFile]) -> Iterator[Sequence[SourceFile]]:
    """The files in order: one alone, or several that are known to be tiny."""
    errand: list[SourceFile] = []
    for file in files:
        size = file.address.size
        is_tiny = size is not None and size <= _SMALL_BYTES // _FILES_AN_ERRAND
        if errand and not (is_tiny and len(errand) < _FILES_AN_ERRAND):
            yield errand
            errand = []
        errand.append(file)
        if not is_tiny:
            yield errand
            errand = []
    if errand:
        yield errand


def decoded(content: FileContent, options: Options) -> Iterator[bytes]:
    """The file's bytes, decompressed and as UTF-8.

    Raises:
        CopyError: It is not compressed or encoded as the COPY says.
    """
    blocks = content.blocks
    compression = options.compression
    if options.data_format == "PARQUET":
        # The guide's page "COPY from columnar data formats": by the file's extension, without a parameter.
        compression = {"gz": "GZIP", "bz2": "BZIP2"}.get(content.url.rpartition(".")[2])
    if compression == "GZIP":
        blocks = _gathered(_decompressed(blocks, _Gunzip, content.url, "gzip"))
    elif compression == "BZIP2":
        blocks = _gathered(_decompressed(blocks, bz2.BZ2Decompressor, content.url, "bzip2"))
    elif compression == "ZSTD":
        blocks = _gathered(_decompressed(blocks, _Unzstd, content.url, "zstd"))
    return iter(blocks) if options.encoding == "utf-8" else _transcoded(blocks, options.encoding, content.url)


def _fetch(errand: Sequence[SourceFile], reader: S3Reader) -> list[_Fetched]:
    """What the files are; nothing behind one that cannot be read."""
    fetched: list[_Fetched] = []
    for file in errand:
        try:
            fetched.append(_content(file, reader))
        except MissingObjectError:
            fetched.append(None)
        except CopyError as error:
            fetched.append(error)
            break
    return fetched


def _content(file: SourceFile, reader: S3Reader) -> FileContent:
    opened = reader.open(file.address)
    blocks = opened.stream()
    kept = blocks if opened.size > _SMALL_BYTES else list(blocks)
    return FileContent(file.address.url, opened.size, kept, opened.etag, opened.last_modified)


class _Decompressor(Protocol):
    """What bz2's decompressor offers: output in pieces of limited size."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Gunzip:
    """zlib's decompressor of gzip, used as bz2's is."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)
        self._waiting = b""
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        found = self._inner.decompress(self._waiting + data, max_length)
        self._waiting = self._inner.unconsumed_tail
        # A full piece may have left more inside, even where all of the input is used.
        self.needs_input = not self._waiting and len(found) < max_length
        return found


def _decompressed(
    blocks: Iterable[bytes], new: Callable[[], _Decompressor], url: str, name: str
) -> Iterator[bytes]:
    """The contents of one compressed stream, or of several one behind the other, in pieces of BLOCK_BYTES."""
    decompressor = new()
    started = False
    for block in blocks:
        # What is behind a stream's end is copied: of tiny streams a slice at a time, not a block.
        for start in range(0, len(block), _SLICE_BYTES):
            rest = block[start : start + _SLICE_BYTES]
            started = True
            while rest or not (decompressor.needs_input or decompressor.eof):
                if decompressor.eof:
                    decompressor = new()
                try:
                    yield decompressor.decompress(rest, BLOCK_BYTES)
                except (zlib.error, OSError, EOFError, zstandard.ZstdError) as error:
                    raise _not_compressed(url, name, str(error)) from error
                rest = decompressor.unused_data
    if started and not decompressor.eof:
        raise _not_compressed(url, name, "the file ends too early")


class _Unzstd:
    """Zstandard's decompressor, used as bz2's is."""

    def __init__(self) -> None:
        self._inner = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
        self._waiting = b""
        self.eof = False
        self.needs_input = True
        self.unused_data = b""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:  # noqa: ARG002 - see _ZSTD_SLICE
        self._waiting += data
        piece, self._waiting = self._waiting[:_ZSTD_SLICE], self._waiting[_ZSTD_SLICE:]
        found = self._inner.decompress(piece)
        if self._inner.eof:
            self.eof, self.unused_data, self._waiting = True, self._inner.unused_data + self._waiting, b""
        self.needs_input = not self._waiting
        return found


def _gathered(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in blocks that are neither tiny nor empty: each costs its reader a search."""
    waiting = bytearray()
    for block in blocks:
        waiting += block
        if len(waiting) >= BLOCK_BYTES // 2:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


def _not_compressed(url: str, name: str, reason: str) -> CopyError:
    return s3_error(
        f"{url} cannot be decompressed as {name}: {reason}",
        hint="COPY declares the compression for all of its files; leave it out for plain ones.",
    )


def _transcoded(blocks: Iterable[bytes], encoding: str, url: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in blocks:
            yield decoder.decode(block).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        raise s3_error(f"{url} is not encoded as {encoding.upper()}: {error}") from error
