"""Fields of source files: new, missing or of another type, noticed in a look at each new version of a file.

COPY says nothing of a field that no column takes, nor of one that is missing, and makes a text of a number
where the column is one. A look costs one request for the first part of a file, and nothing else as long as
all is as it was.
"""

import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from sparkify.source import SourceFile
from sparkify.stage.job import StagingJob
from sparkify.text import cut, printable
from sparkify.warehouse import ledger
from sparkify.warehouse.ledger import Known
from sparkify.warehouse.session import Log, Session

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

SOURCE_FIELDS = "ops.source_fields"
MISSING = "missing"

_LOOK_BYTES = 64 * 1024
# Files named by time differ in their time; those of a catalogue are many of one kind.
_MOST_DATED, _MOST_OTHERS = 32, 8
# A document whose names are values has ever new ones.
_MOST_FIELDS = 500
_KNOWN = f"SELECT field, kind FROM {SOURCE_FIELDS} WHERE dataset = %(table)s"
_FIRST_STEP = re.compile(r"\$(?:\.([A-Za-z_]\w*)|\['([^']*)'\])")
_KINDS = {str: "text", bool: "boolean", int: "number", float: "number", dict: "object", list: "array"}

Field = tuple[str, str]


@dataclass(frozen=True, slots=True)
class FieldWatch:
    """Notices what changes in the fields of source files, and warns of each change once.

    Args:
        session: a session that holds no lock.
        s3: reads the source.
        job: says how the files are read.
        columns: what they fill.
        load_id: the load, on record with what it notices.
        log: is warned.
    """

    session: Session
    s3: "S3Client"
    job: StagingJob
    columns: Sequence[str]
    load_id: str
    log: Log

    def look(self, files: Sequence[SourceFile], known: Known) -> None:
        """Look at those of `files` whose version was not staged before, or a sample of them."""
        versions = known.versions
        new = [file for file in files if file.key not in versions or versions[file.key].etag != file.etag]
        seen: dict[Field, SourceFile] = {}
        for file in _sample(new, _MOST_DATED if self.job.key_pattern else _MOST_OTHERS):
            for field in self._fields(file):
                seen.setdefault(field, file)
        if seen and seen.keys() - self._known():
            self._record(seen)

    def _fields(self, file: SourceFile) -> set[Field]:
        """Return the fields of the first documents of a file, each with its kind; none without a document."""
        names, fields = set[str](), set[Field]()
        for document in self._documents(file):
            for name, value in document.items():
                names.add(self._name(name))
                if value is not None:
                    fields.add((cut(self._name(name), 256), _KINDS[type(value)]))
        missing = {(name, MISSING) for name in self._expected if names and name not in names}
        return fields | missing if len(fields) <= _MOST_FIELDS else set()

    def _documents(self, file: SourceFile) -> Iterator[dict[str, Any]]:
        lines = self._head(file).split(b"\n")
        # The last line may go on behind what was read.
        for line in lines[:-1] if file.size > _LOOK_BYTES or self.job.gzip else lines:
            try:
                document = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(document, dict):
                yield document

    def _head(self, file: SourceFile) -> bytes:
        """Return the first part of a file; nothing where it is empty, gone or another by now."""
        if not file.size:
            return b""
        first = f"bytes=0-{_LOOK_BYTES - 1}"
        try:
            found = self.s3.get_object(Bucket=file.bucket, Key=file.key, Range=first, IfMatch=file.etag)
            head: bytes = found["Body"].read()
            return zlib.decompressobj(wbits=31).decompress(head, 4 * _LOOK_BYTES) if self.job.gzip else head
        except (ClientError, BotoCoreError, zlib.error) as error:
            # Whatever it is, COPY meets it, too, and it is no field.
            self.log.debug("No look at the fields of %s: %s", file.url, error)
            return b""

    @property
    def _expected(self) -> set[str]:
        """The fields that fill columns; none where a jsonpaths file on S3 says which."""
        if self.job.jsonpaths is not None:
            paths = map(_FIRST_STEP.match, json.loads(self.job.jsonpaths)["jsonpaths"])
            return {match[1] or match[2] for match in paths if match}
        return set(self.columns) if self.job.json in {"auto", "auto ignorecase"} else set()

    def _name(self, name: str) -> str:
        ignores_case = self.job.jsonpaths is None and self.job.json == "auto ignorecase"
        return name.lower() if ignores_case else name

    def _known(self) -> set[Field]:
        return {(field, kind) for field, kind in self.session.query(_KNOWN, {"table": self.job.table})}

    def _record(self, seen: Mapping[Field, SourceFile]) -> None:
        """Keep what is new, under a lock, so that of two loads one warns of it."""
        with self.session.publishing(SOURCE_FIELDS):
            known, now = self._known(), ledger.utc_now()
            new = {field: file for field, file in seen.items() if field not in known}
            if len(known) + len(new) > _MOST_FIELDS:
                return
            rows = [
                (self.job.table, *field, file.url, file.etag, self.load_id, now)
                for field, file in sorted(new.items())
            ]
            names = ("dataset", "field", "kind", "file", "etag", "load_id", "seen_at")
            self.session.insert_rows(SOURCE_FIELDS, names, rows)
        told = [f"  {line} ({new[field].url})" for field in sorted(new) if (line := self._tell(field, known))]
        if told:
            self.log.warning("Fields of the files of %s have changed:\n%s", self.job.table, "\n".join(told))

    def _tell(self, field: Field, known: set[Field]) -> str:
        """Return what is to be said of a field that was not seen like this before; nothing at its first."""
        name, kind = field
        before = sorted({other for same, other in known if same == name} - {MISSING})
        if kind == MISSING:
            return printable(f"{name} is missing: its column will be NULL")
        if self._expected and name not in self._expected:
            return "" if before else printable(f"{name} ({kind}) is new: no column takes it")
        return printable(f"{name} is {kind}, and was {' or '.join(before)}") if before else ""


def _sample(files: Sequence[SourceFile], most: int) -> Sequence[SourceFile]:
    """Return at most so many of the files, from the first to the last."""
    if len(files) <= most:
        return files
    return [files[number * (len(files) - 1) // (most - 1)] for number in range(most)]
