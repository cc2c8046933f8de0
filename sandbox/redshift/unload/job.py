"""One UNLOAD to S3, from its first row to its line in the log."""

import json
import re
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sandbox.parts.settings import Settings
from sandbox.redshift.copy.credentials import mask_credentials
from sandbox.redshift.copy.errors import CopyError, storable
from sandbox.redshift.copy.roles import take_role
from sandbox.redshift.copy.s3 import S3Object, parse_address
from sandbox.redshift.transfer_log import TransferLog, TransferStart, TransferTotals
from sandbox.redshift.unload.columns import UnloadColumn, check_names, partition_positions
from sandbox.redshift.unload.command import UnloadCommand
from sandbox.redshift.unload.files import UnloadFiles
from sandbox.redshift.unload.lines import Row
from sandbox.redshift.unload.storage import S3Writer

# As SYS_UNLOAD_HISTORY's sample names it; of fixed widths it is text, too.
_LOGGED_FORMATS = {"CSV": "CSV", "JSON": "JSON", "PARQUET": "Parquet"}
# PostgreSQL's COPY text format.
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_MEANINGS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@dataclass(frozen=True)
class UnloadSession:
    """The client's session that runs the UNLOAD; `query_id` is its number in the STL views, if it has one."""

    backend_pid: int
    user: str
    database: str
    transaction_id: int | None
    query_text: str
    query_id: int | None = None


class UnloadJob:
    """One UNLOAD: its rows from PostgreSQL, its objects in S3, and its traces in the system views.

    Run `start`, then `write` with what PostgreSQL sends, then `finish`; after any error call `fail`.

    Args:
        command: The UNLOAD.
        columns: The query's.
        session: Who runs it.
        settings: The sandbox whose S3 and PostgreSQL are used.
    """

    def __init__(
        self,
        command: UnloadCommand,
        columns: Sequence[UnloadColumn],
        session: UnloadSession,
        settings: Settings,
    ) -> None:
        self._command, self._columns = command, columns
        self._session, self._settings = session, settings
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._log: TransferLog | None = None
        self._writer: S3Writer | None = None
        self._files: UnloadFiles | None = None
        self._cleaned: set[str] = set()
        self._rest = b""
        self._rows = 0
        self._is_stopped = threading.Event()

    @property
    def notice(self) -> str:
        """The INFO message of an UNLOAD that succeeded."""
        return f"UNLOAD completed, {self._rows} record(s) unloaded successfully."

    def start(self) -> None:
        """Look at the target before anything is read.

        Raises:
            CopyError: The options do not fit the columns, S3 refuses, or the target is not empty.
        """
        options = self._command.options
        self._log = self._started()
        check_names(self._columns, options.data_format)
        keys = partition_positions(options.partition_by, self._columns)
        take_role(self._settings, self._command.authorization, self._log.user)
        self._writer = S3Writer(self._settings, self._command.authorization, options.region)
        prefix = self._prefix()
        self._writer.check_region(prefix.bucket)
        if not options.allow_overwrite and not options.clean_path:
            self._writer.check_empty(prefix)
        elif options.clean_path and not options.partition_by:
            self._writer.delete(self._writer.list_prefix(prefix))
        self._folder = tempfile.TemporaryDirectory(prefix="unload-")
        folder = Path(self._folder.name)
        self._files = UnloadFiles(prefix, self._columns, keys, options, folder=folder, upload=self._upload)

    def write(self, data: bytes) -> None:
        """Take rows in PostgreSQL's COPY text format, in pieces of any size.

        Raises:
            CopyError: One does not fit, or S3 refuses.
        """
        assert self._files  # noqa: S101 - start() made them
        data = self._rest + data
        end = data.rfind(b"\n") + 1
        self._rest = data[end:]
        for line in data[:end].decode().split("\n")[:-1]:
            self._files.add(_row(line, len(self._columns)))
            self._rows += 1

    def finish(self) -> None:
        """Write the last files and the manifest, and log the UNLOAD as completed.

        Raises:
            CopyError: S3 refuses.
        """
        assert self._files and self._log  # noqa: S101, PT018 - start() made them
        self._files.finish()
        if self._command.options.manifest and self._files.written:
            self._write_manifest()
        self._end(TransferTotals("completed", reached_rows=True, row_count=self._rows))

    def fail(self, error: CopyError) -> None:
        """Log the UNLOAD as aborted; what is in S3 already stays there."""
        message = storable(mask_credentials(error.message))
        self._end(TransferTotals("aborted", reached_rows=self._files is not None, error_message=message))

    def stop(self) -> None:
        """Let nothing more go to S3; may be called from any thread."""
        self._is_stopped.set()

    def _started(self) -> TransferLog:
        options = self._command.options
        start = TransferStart(
            kind="UNLOAD",
            session_id=self._session.backend_pid,
            user=self._session.user,
            database_name=self._session.database,
            transaction_id=self._session.transaction_id,
            query_text=storable(mask_credentials(self._session.query_text)),
            location=storable(self._command.location),
            file_format=_LOGGED_FORMATS.get(options.data_format, "Text"),
            compression_type=(options.compression or "none").lower(),
            query_id=self._session.query_id,
        )
        return TransferLog(self._settings, start)

    def _end(self, totals: TransferTotals) -> None:
        if self._writer:
            self._writer.close()
        if self._folder:
            self._folder.cleanup()
        totals.files = self._files.written if self._files else ()
        (self._log or self._started()).end(totals)

    def _prefix(self) -> S3Object:
        """Where the files go: "a forward slash (/) is automatically added" with PARTITION BY."""
        found = parse_address(self._command.location)
        adds = self._command.options.partition_by and not found.key.endswith("/")
        return replace(found, key=f"{found.key}/") if adds else found

    def _upload(self, path: Path, target: S3Object) -> None:
        assert self._writer  # noqa: S101 - start() made it
        if self._is_stopped.is_set():
            raise CopyError("57014", "canceling statement due to user request")
        folder = target.key.rpartition("/")[0] + "/"
        if self._command.options.clean_path and self._command.options.partition_by:
            # "Existing files are removed only from the partition folders to receive new files."
            if folder not in self._cleaned:
                self._writer.delete(self._writer.list_prefix(S3Object(target.bucket, folder)))
            self._cleaned.add(folder)
        self._put(path, target)

    def _put(self, path: Path, target: S3Object) -> None:
        assert self._writer  # noqa: S101 - start() made it
        self._writer.upload(path, target, by_bucket=self._command.options.encrypted == "AUTO")

    def _write_manifest(self) -> None:
        assert self._files and self._folder and self._writer  # noqa: S101, PT018 - start() made them
        path = Path(self._folder.name) / "manifest"
        is_verbose = self._command.options.manifest == "VERBOSE"
        path.write_text(json.dumps(_manifest(self._files, is_verbose=is_verbose), indent=2))
        prefix = self._prefix()
        self._put(path, S3Object(prefix.bucket, f"{prefix.key}manifest"))


def _row(line: str, count: int) -> Row:
    """The values of a line of PostgreSQL's COPY text format."""
    if not count:
        return []
    fields = line.split("\t")
    if "\\" not in line:
        return fields
    return [None if field == r"\N" else _ESCAPE.sub(_meaning, field) for field in fields]


def _meaning(escape: re.Match[str]) -> str:
    return _MEANINGS.get(escape[1], escape[1])


def _manifest(files: UnloadFiles, *, is_verbose: bool) -> dict[str, object]:
    """The manifest, as on the guide's pages "Using a manifest …" and "UNLOAD examples"."""
    entries = []
    for file in files.written:
        meta: dict[str, object] = {"content_length": file.size}
        if is_verbose:
            meta["record_count"] = file.line_count
        entries.append({"url": file.url, "meta": meta})
    if not is_verbose:
        return {"entries": entries}
    return {
        "entries": entries,
        "schema": {"elements": [_element(column) for column in files.columns]},
        "meta": {
            "content_length": sum(file.size for file in files.written),
            "record_count": sum(file.line_count for file in files.written),
        },
        "author": {"name": "Amazon Redshift", "version": "1.0.0"},
    }


def _element(column: UnloadColumn) -> dict[str, object]:
    """A column; the page's example has the dimensions without names, which no JSON allows."""
    described: dict[str, object] = {"base": column.type_name}
    if len(column.dimensions) == 1:
        described["max_length"] = column.dimensions[0]
    elif column.dimensions:
        described["precision"], described["scale"] = column.dimensions
    return {"name": column.name, "type": described}
