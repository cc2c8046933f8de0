"""A process that converts for the endpoint: ``python -m sandbox.redshift.copy.parallel.worker``.

It gets a COPY's plan, then pieces of its files, and answers each with rows. It has no key, no file and no
connection but the two pipes to the endpoint, and ends with it: then there is nothing more to read.
"""

import gc
import struct
import sys
from typing import BinaryIO

from sandbox.redshift.copy.documents import ordinary_lines
from sandbox.redshift.copy.parallel.frames import read_frame, write_frames
from sandbox.redshift.copy.parallel.plan import RowPlan
from sandbox.redshift.copy.rows import RowBuilder, Rows

_COUNT = struct.Struct("!q")
_UNUSUAL = _COUNT.pack(-1)


def serve(source: BinaryIO, target: BinaryIO) -> None:
    """Answer until the endpoint is gone."""
    plan = read_frame(source)
    if plan is None:
        return
    builder = RowPlan.from_json(plan).builder()
    while (piece := read_frame(source)) is not None:
        rows = ordinary_rows(piece, builder)
        if rows is None:
            write_frames(target, _UNUSUAL)
        else:
            write_frames(target, _COUNT.pack(rows.count), rows.data)


def read_answer(source: BinaryIO) -> Rows | None:
    """What `serve` answered a piece; None, too, when the process is gone."""
    head = read_frame(source)
    count = _COUNT.unpack(head)[0] if head else -1
    data = read_frame(source) if count >= 0 else None
    return None if data is None else Rows(data, count)


def ordinary_rows(piece: bytes, builder: RowBuilder) -> Rows | None:
    """The rows of whole lines.

    Returns:
        None unless every line holds one object whose row can be loaded as it is: what is to be said of
        anything else depends on what stands before it.
    """
    found = builder.records.rows(piece)
    if found:
        return Rows(*found)
    documents = ordinary_lines(piece, first_line=1)
    if documents is None:
        return None
    parts = list(builder.build(documents, ""))
    if any(part.errors or part.replacements for part in parts):
        return None
    return Rows(b"".join(part.data for part in parts), len(documents.values))


if __name__ == "__main__":
    gc.freeze()
    serve(sys.stdin.buffer, sys.stdout.buffer)
