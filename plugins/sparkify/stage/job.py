"""What one staging task loads, and what a try of it finds at the source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sparkify.source import SourceFile
from sparkify.warehouse.ledger import Known, LoadRecord, TaskRun
from sparkify.window import Window

StagingMode = Literal["window", "changed_files", "append", "replace"]

LOAD_ID = "load_id"
# Temp tables shadow permanent ones of the same name.
INCOMING = "sparkify_incoming"
# The version of a file that was not there when its window was staged.
MISSING = ""


@dataclass(frozen=True, slots=True)
class StagingJob:
    """What one staging task loads; see StageToRedshiftOperator for the meaning of each field."""

    table: str
    mode: StagingMode
    bucket: str
    work_bucket: str
    run: TaskRun
    window: Window | None = None
    key_pattern: str | None = None
    prefix: str | None = None
    source_prefix: str | None = None
    allow_empty: bool = False
    time_column: str | None = None
    key_columns: Sequence[str] = ()
    json: str = "auto"
    jsonpaths: str | None = None
    iam_role: str = "default"
    region: str | None = None
    gzip: bool = False
    max_errors: int = 0
    keep_strays: bool = False
    copy_options: Sequence[str] = ()
    look_back_days: int = 0

    @property
    def source(self) -> str:
        """What identifies the source: its bucket, and the pattern or prefix of its keys."""
        return f"s3://{self.bucket}/{self.key_pattern or self.source_prefix or self.prefix or ''}"

    @property
    def required_columns(self) -> Sequence[str]:
        """The columns without which no window and no key can ever hold a row."""
        time = [self.time_column] if self.time_column else []
        return list(dict.fromkeys([*time, *self.key_columns]))


@dataclass(frozen=True, slots=True)
class Listing:
    """What the source and the ledger said when a try of a load began.

    Args:
        files: the files to look at.
        missing: keys or prefixes that do not exist.
        known: what the ledger said of both, and of the time around the window, before they were listed.
        periods: mode `window` with a dated key pattern: the time of each key.
        earlier: keys among the files that are of the days before the window.
    """

    files: Sequence[SourceFile]
    missing: Sequence[str]
    known: Known
    periods: Mapping[str, Window]
    earlier: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Staged:
    """The outcome of a staging load: its record, the files it read, the keys it did not find, late hours."""

    record: LoadRecord
    files: Sequence[SourceFile]
    missing: Sequence[str]
    late: Sequence[Window] = ()
