"""One file of JSON documents, by the short way as far as it is ordinary, then by the careful one.

Both give the same rows: the short way is the careful one's for whole lines with a document each, and gives up
at anything that is to be reported, replaced or looked for over several lines.
"""

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future
from itertools import chain

from sandbox.redshift.copy.documents import (
    MAX_DOCUMENT_BYTES,
    BadDocument,
    DocumentReader,
    Documents,
    without_lines,
)
from sandbox.redshift.copy.parallel.pool import Workers
from sandbox.redshift.copy.rows import RowBuilder, Rows

# A piece costs more than its rows do: threads and processes wake each other.
PIECE_BYTES = 512 * 1024
# Pieces under way for each process: one at work and one behind it.
_PIECES_EACH = 2


class JsonFile:
    """The rows of one file, and what is no document in it, in order.

    Args:
        blocks: The file's bytes, decompressed, in pieces of any size.
        url: Its address, for errors.
        builder: Makes the rows.
        skip_lines: Lines to leave out at the start (IGNOREHEADER).
        workers: Processes to help, if any.
    """

    def __init__(
        self,
        blocks: Iterable[bytes],
        url: str,
        builder: RowBuilder,
        skip_lines: int = 0,
        workers: Workers | None = None,
    ) -> None:
        self._blocks = without_lines(blocks, skip_lines)
        self._url = url
        self._builder = builder
        self._workers = workers
        self._ordinary_lines = skip_lines
        self._documents: DocumentReader | None = None

    @property
    def lines(self) -> int:
        """The lines read so far."""
        return self._documents.lines if self._documents else self._ordinary_lines

    def __iter__(self) -> Iterator[Rows | BadDocument]:
        """Yield rows in pieces, broken documents one by one."""
        rest: Iterable[bytes] = self._blocks
        if self._workers:
            rest = yield from self._ordinary(self._workers)
        self._documents = DocumentReader(rest, lines_before=self._ordinary_lines)
        for found in self._documents:
            if isinstance(found, Documents):
                yield from self._builder.build(found, self._url)
            else:
                yield found

    def _ordinary(self, workers: Workers) -> Generator[Rows, None, Iterable[bytes]]:
        """Yield the rows of ordinary pieces; return the bytes behind them."""
        pieces = _Pieces(self._blocks)
        pending: deque[tuple[bytes, Future[Rows | None]]] = deque()
        for piece in pieces:
            pending.append((piece, workers.submit(piece)))
            if len(pending) > _PIECES_EACH * len(workers):
                if (rows := self._next_rows(pending)) is None:
                    break
                yield rows
        while (rows := self._next_rows(pending)) is not None:
            yield rows
        return chain([piece for piece, _ in pending], pieces.unread())

    def _next_rows(self, pending: deque[tuple[bytes, Future[Rows | None]]]) -> Rows | None:
        """The rows of the first piece, which goes; None where there is none, or an unusual one."""
        rows = pending[0][1].result() if pending else None
        if rows is not None:
            pending.popleft()
            self._ordinary_lines += rows.count
        return rows


class _Pieces:
    """Blocks as pieces of whole lines."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._held: list[bytes] = []

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for block in self._blocks:
            end = block.rfind(b"\n") + 1
            if end and size + end >= PIECE_BYTES:
                piece = b"".join((*self._held, memoryview(block)[:end]))
                self._held, size = [block[end:]], len(block) - end
                yield piece
                continue
            self._held.append(block)
            size += len(block)
            if size > MAX_DOCUMENT_BYTES:
                return
        last, newline, rest = b"".join(self._held).rpartition(b"\n")
        self._held = [rest]
        if newline:
            yield last + newline

    def unread(self) -> Iterator[bytes]:
        """What has not been in a piece."""
        yield from filter(None, self._held)
        yield from self._blocks
