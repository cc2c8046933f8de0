"""Digests: whether the ledger has the files of a listing, without reading it into the worker.

Keys fall into 256 parts by their MD5. For each part the warehouse adds up what the keys and versions in it
hash to, as the worker does with the listing: only parts that differ are read.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sparkify.warehouse.ledger import NEWEST_VERSIONS
from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import Value

_DIGESTS = f"""
SELECT
    part, COUNT(*) AS files, SUM(CAST(STRTOL(SUBSTRING(digest, 1, 15), 16) AS DECIMAL(38, 0))) AS added,
    MAX(staged_at) AS latest
FROM (
    SELECT SUBSTRING(MD5(key), 1, 2) AS part, MD5(key || ' ' || etag) AS digest, staged_at
    FROM (
{NEWEST_VERSIONS.format(condition="key >= %(prefix)s AND LEFT(key, %(length)s) = %(prefix)s")}
    ) AS versions
    WHERE newest = 1
) AS parts
GROUP BY part
UNION ALL
SELECT source, NULL, NULL, NULL
FROM ops.sources
WHERE dataset = %(dataset)s
"""


@dataclass(frozen=True, slots=True)
class Digests:
    """What the ledger says of a staging table and a prefix.

    Args:
        parts: the digest of each part that has files.
        latest: when the newest version was staged, naive UTC; None where none is.
        sources: the sources whose rows the table holds.
    """

    parts: Mapping[str, tuple[int, int]]
    latest: datetime | None
    sources: list[str]


def read_digests(session: Session, dataset: str, bucket: str, prefix: str) -> Digests:
    """Return the digests of what is staged under a prefix, in one query."""
    values: dict[str, Value] = {"dataset": dataset, "bucket": bucket, "prefix": prefix, "length": len(prefix)}
    rows = session.ask(_DIGESTS, values)
    parts = [row for row in rows if row[1] is not None]
    return Digests(
        {part: (int(count), int(added)) for part, count, added, _ in parts},
        max((latest for *_, latest in parts), default=None),
        [source for source, count, *_ in rows if count is None],
    )


def part_of(key: str) -> str:
    """Return the part that a key falls into, as the warehouse has it."""
    return hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()[:2]


def add(digest: tuple[int, int], key: str, etag: str) -> tuple[int, int]:
    """Return the digest of a part with one more file."""
    hashed = hashlib.md5(f"{key} {etag}".encode(), usedforsecurity=False).hexdigest()
    return digest[0] + 1, digest[1] + int(hashed[:15], 16)
