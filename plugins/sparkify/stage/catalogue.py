"""Prefixes of many files: which of them may have changed, in little memory; their ledger rows, by COPY."""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from sparkify.source import SourceFile, list_prefix
from sparkify.stage.copy_command import CopyCommand
from sparkify.stage.job import Listing, StagingJob
from sparkify.stage.manifest import write_ledger_rows, write_manifest
from sparkify.warehouse import ledger
from sparkify.warehouse.digests import Digests, add, part_of, read_digests
from sparkify.warehouse.ledger import FILE_COLUMNS, INCOMING_FILES, Known
from sparkify.warehouse.session import Session

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

# What bound values still bring in within a second.
_MOST_BOUND = 1000


def find_differing(session: Session, s3: "S3Client", job: StagingJob) -> Listing:
    """List a prefix and return the files of those parts in which a file is new, other or gone.

    The ledger is asked before, so that what others commit later is noticed.
    """
    prefix = job.prefix or ""
    digests = read_digests(session, job.table, job.bucket, prefix)
    seen = _Seen(job.bucket)
    for file in list_prefix(s3, job.bucket, prefix):
        seen.add(file)
    parts = seen.differing(digests)
    known = Known({}, digests.sources, ())
    if parts and digests.latest:
        known = ledger.look_up(
            session, job.table, job.bucket, prefix=prefix, parts=parts, until=digests.latest
        )
    files = [file for part in parts for file in seen.files(part)]
    return Listing(sorted(files, key=lambda file: file.key), [] if seen.digests else [prefix], known, {})


def prepare_files(
    session: Session, s3: "S3Client", job: StagingJob, load_id: str, files: Sequence[SourceFile]
) -> None:
    """Put the ledger rows of files into the temp table INCOMING_FILES; many of them by COPY."""
    if len(files) <= _MOST_BOUND:
        ledger.prepare_files(session, job.table, load_id, files)
        return
    ledger.make_incoming_files(session)
    rows = ledger.file_rows(job.table, load_id, files)
    lines = (json.dumps(dict(zip(FILE_COLUMNS, map(_text, row), strict=True))) for row in rows)
    body = gzip.compress("\n".join(lines).encode(), compresslevel=1)
    address = write_ledger_rows(s3, job.work_bucket, load_id, body)
    manifest = write_manifest(s3, job.work_bucket, f"{load_id}-files", [address])
    command = CopyCommand(INCOMING_FILES, FILE_COLUMNS, manifest, "auto", job.iam_role, job.region, gzip=True)
    session.execute(command.sql)


def _text(value: object) -> object:
    return str(value) if isinstance(value, datetime) else value


@dataclass
class _Seen:
    """The files of a listing: about a hundred bytes each."""

    bucket: str
    digests: dict[str, tuple[int, int]] = field(default_factory=dict)
    packed: defaultdict[str, bytearray] = field(default_factory=lambda: defaultdict(bytearray))

    def add(self, file: SourceFile) -> None:
        part = part_of(file.key)
        self.digests[part] = add(self.digests.get(part, (0, 0)), file.key, file.etag)
        # No key holds a NUL.
        record = f"{file.key}\0{file.etag}\0{file.size}\0{file.last_modified.isoformat()}\0"
        self.packed[part] += record.encode()

    def differing(self, digests: Digests) -> list[str]:
        return sorted(part for part, digest in self.digests.items() if digests.parts.get(part) != digest)

    def files(self, part: str) -> Iterator[SourceFile]:
        fields = iter(self.packed[part].decode().split("\0")[:-1])
        for key, etag, size, modified in zip(fields, fields, fields, fields, strict=True):
            yield SourceFile(self.bucket, key, etag, int(size), datetime.fromisoformat(modified))
