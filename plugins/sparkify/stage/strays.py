"""Strays: rows outside the time that their file is named for, and the lines on which they stand.

COPY tells of a row it refuses which line it was; of one that it loads it does not. Once such a row has turned
up, its file is read here, to say what a person has to look at.
"""

import gzip
import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sparkify.failures import SourceChanged
from sparkify.source import SourceFile
from sparkify.stage.job import StagingJob
from sparkify.warehouse.rejected_rows import RejectedRow
from sparkify.window import Window

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

STRAY = "outside the time its file is named for"
"""What the reason of a stray begins with."""

_TIME_FORMAT = re.compile(r"TIMEFORMAT(?:\s+AS)?\s+'([^']*)'", re.IGNORECASE)
_STEP = re.compile(r"\.([A-Za-z_]\w*)|\['([^']*)'\]")
_UNITS = {"epochsecs": 1, "epochmillisecs": 1000}


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as its file has it: the line, from 1 and None where it is not known, the time, and all of it."""

    line: int | None
    value: str
    text: str


@dataclass(frozen=True, slots=True)
class StrayFinder:
    """Finds strays in source files.

    Args:
        s3: reads the files.
        job: says how their time is written.
        columns: the files' columns, in the order of a jsonpaths file.
    """

    s3: "S3Client"
    job: StagingJob
    columns: Sequence[str]

    def find(
        self, file: SourceFile, period: Window, expected: int, refused: Sequence[RejectedRow] = ()
    ) -> list[RejectedRow]:
        """Return the strays of a file, or none where they cannot be told as COPY has read them.

        Args:
            file: the file.
            period: the time that it is named for.
            expected: how many strays COPY has loaded from it.
            refused: its rows that COPY has not loaded.

        Raises:
            SourceChanged: the file was replaced or removed since it was copied.
        """
        try:
            strays = list(self._strays(file, period, {row.line for row in refused}))
        except ClientError as error:
            if error.response["Error"]["Code"] in {"PreconditionFailed", "NoSuchKey"}:
                raise SourceChanged(f"{file.url} changed while it was copied") from error
            raise
        except (ValueError, LookupError, TypeError, OSError):
            # Other documents, times or compressions than are read here: the rows are known, their lines not.
            return []
        return strays if len(strays) == expected else []

    def _strays(
        self, file: SourceFile, period: Window, refused: Collection[int | None]
    ) -> Iterator[RejectedRow]:
        path = self._path()
        for number, line in enumerate(self._lines(file), start=1):
            try:
                value = _follow(json.loads(line), path)
                is_inside = period.start <= self._time(value) < period.end
            except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
                # COPY refuses such a line, or reads it otherwise; then there are more strays than are found.
                continue
            if not is_inside and number not in refused:
                yield stray_row(file, self.job, period, RawRow(number, str(value), line.decode().strip()))

    def _lines(self, file: SourceFile) -> Iterator[bytes]:
        body: Any = self.s3.get_object(Bucket=file.bucket, Key=file.key, IfMatch=file.etag)["Body"]
        yield from gzip.GzipFile(fileobj=body) if self.job.gzip else body.iter_lines()

    def _path(self) -> list[str]:
        """Return the names that lead to the time in a document."""
        column = (self.job.time_column or "").lower()
        if self.job.jsonpaths is None:
            if self.job.json not in {"auto", "auto ignorecase"}:
                raise LookupError(self.job.json)
            return [column]
        path = json.loads(self.job.jsonpaths)["jsonpaths"][self.columns.index(column)]
        steps = [name or quoted for name, quoted in _STEP.findall(path)]
        if "$" + "".join(match[0] for match in _STEP.finditer(path)) != path:
            raise LookupError(path)
        return steps

    def _time(self, value: object) -> datetime:
        given = _TIME_FORMAT.search(" ".join(self.job.copy_options))
        unit = _UNITS.get(given[1].lower()) if given else None
        if unit:
            return datetime.fromtimestamp(float(str(value)) / unit, UTC)
        # COPY takes an offset in a text for a TIMESTAMP, and does not apply it.
        return datetime.fromisoformat(str(value)).replace(tzinfo=UTC)


def stray_row(file: SourceFile, job: StagingJob, period: Window, row: RawRow) -> RejectedRow:
    """Return a stray as it is reported and kept."""
    reason = f"{STRAY}, {period}"
    return RejectedRow(file.url, row.line, job.time_column or "", "time", row.value, row.text, None, reason)


def _follow(document: Any, path: Sequence[str]) -> object:  # noqa: ANN401 - any JSON
    """Return what stands in a document under a path; names that are not there are tried in lower case."""
    for name in path:
        document = document[name] if name in document else {k.lower(): v for k, v in document.items()}[name]
    return document
