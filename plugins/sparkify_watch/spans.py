"""Time cut into pieces, and what covers them."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar


class Span(Protocol):
    """Half-open time."""

    @property
    def start(self) -> datetime: ...  # noqa: D102

    @property
    def end(self) -> datetime: ...  # noqa: D102


AnySpan = TypeVar("AnySpan", bound=Span)


class Pieces:
    """The time from the first edge to the last, cut at every edge and wherever a span begins or ends.

    Args:
        edges: rising.
        spans: each covers a piece whole or not at all.
        marks: further moments to cut at.
    """

    def __init__(
        self, edges: Sequence[datetime], spans: Iterable[Span], marks: Iterable[datetime] = ()
    ) -> None:
        cuts = {moment for span in spans for moment in (span.start, span.end)} | set(marks)
        self.cuts = sorted(set(edges) | {cut for cut in cuts if edges[0] < cut < edges[-1]})

    def __len__(self) -> int:
        return len(self.cuts) - 1

    def within(self, span: Span) -> range:
        """Return the numbers of the pieces that lie in a span that begins and ends at cuts, or outside."""
        first = min(bisect_left(self.cuts, span.start), len(self))
        return range(first, max(first, min(bisect_right(self.cuts, span.end) - 1, len(self))))

    def paint(self, spans: Iterable[AnySpan]) -> list[AnySpan | None]:
        """Return, for each piece, the first of the spans that covers it; each piece is painted once."""
        painted: list[AnySpan | None] = [None] * len(self)
        # From each piece the way to the next that may be bare, so that many wide spans cost no more than one.
        bare = list(range(len(self) + 1))
        for span in spans:
            inside = self.within(span)
            piece = _next(bare, inside.start)
            while piece < inside.stop:
                painted[piece], bare[piece] = span, piece + 1
                piece = _next(bare, piece)
        return painted


def _next(bare: list[int], piece: int) -> int:
    while bare[piece] != piece:
        bare[piece] = piece = bare[bare[piece]]
    return piece
