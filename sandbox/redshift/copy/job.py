"""One COPY from S3, from the first file to its line in the log."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sandbox.parts.settings import Settings
from sandbox.redshift.copy.columnar import ParquetRows
from sandbox.redshift.copy.columns import TargetColumn
from sandbox.redshift.copy.command import CopyCommand
from sandbox.redshift.copy.credentials import mask_credentials
from sandbox.redshift.copy.documents import BadDocument
from sandbox.redshift.copy.errors import CopyError, FatalError, load_failed, storable
from sandbox.redshift.copy.history import LoadLog
from sandbox.redshift.copy.jsonpaths import MAX_JSONPATHS_BYTES, parse_jsonpaths
from sandbox.redshift.copy.parallel.lanes import JsonFile
from sandbox.redshift.copy.parallel.plan import RowPlan
from sandbox.redshift.copy.parallel.pool import Workers
from sandbox.redshift.copy.reading import FileContent, decoded, read_ahead
from sandbox.redshift.copy.roles import take_role
from sandbox.redshift.copy.rows import RowBuilder, Rows, document_error
from sandbox.redshift.copy.s3 import BLOCK_BYTES, S3Reader, parse_address
from sandbox.redshift.copy.source import source_files
from sandbox.redshift.copy.tables import TableReader
from sandbox.redshift.copy.text_rows import TextRows
from sandbox.redshift.transfer_log import TransferredFile, TransferStart, TransferTotals, utc_now

__all__ = ["CopyJob", "CopySession", "TargetColumn"]

# Rows of small files are collected up to this size before they go to PostgreSQL.
_CHUNK_BYTES = 128 * 1024
# A process needs a tenth of a second to start, in which so much is done here.
_WORTH_WORKERS_BYTES = 8 * 1024 * 1024
# As STL_LOAD_COMMITS names the formats of files; of fixed widths it is text.
_LOGGED_FORMATS = {"JSON": "JSON", "CSV": "CSV", "PARQUET": "Parquet"}


_Builder = RowBuilder | TextRows | ParquetRows


@dataclass(frozen=True)
class CopySession:
    """The client's session that runs the COPY.

    Args:
        backend_pid: Process id of its PostgreSQL backend.
        user: Its user.
        database: Its database.
        transaction_id: Its transaction's id as of ``txid_current()``, if known.
        query_text: The statement as written; it is logged without its secrets.
        table_id: OID of the target.
        query_id: Its number in the STL views, if it has one already.
    """

    backend_pid: int
    user: str
    database: str
    transaction_id: int | None
    query_text: str
    table_id: int
    query_id: int | None = None


class CopyJob:
    """One COPY: its rows for PostgreSQL, and its traces in the system views.

    Run `chunks` to its end, then call `finish`; after any error call `fail`.

    Args:
        command: The COPY.
        columns: The target's columns in COPY's order.
        session: Who runs it.
        settings: The sandbox whose S3 and PostgreSQL are used.
    """

    def __init__(
        self, command: CopyCommand, columns: Sequence[TargetColumn], session: CopySession, settings: Settings
    ) -> None:
        self._command = command
        self._columns = columns
        self._session = session
        self._settings = settings
        self._log: LoadLog | None = None
        self._files: list[TransferredFile] = []
        self._workers: Workers | None = None
        self._bytes = 0
        self._rows = 0

    @property
    def notices(self) -> list[str]:
        """The INFO messages of a load that succeeded."""
        table = f"Load into table '{self._command.table}' completed"
        notices = [f"{table}, {self._rows} record(s) loaded successfully."]
        if self._errors:
            # Two spaces before "Check": Redshift writes them.
            notices.append(
                f"{table}, {self._errors} record(s) could not be loaded.  "
                "Check 'stl_load_errors' system table for details."
            )
        return notices

    def chunks(self) -> Iterator[bytes]:
        """Yield the rows in PostgreSQL's COPY text format, reading S3 as they are asked for.

        Raises:
            CopyError: S3 cannot be read, the jsonpaths do not fit, or there are too many bad rows.
        """
        self._log = self._started()
        options = self._command.options
        take_role(self._settings, self._command.authorization, self._log.user)
        reader = S3Reader(self._settings, self._command.authorization, options.region)
        try:
            plan = self._plan(reader) if options.data_format == "JSON" else None
            builder = plan.builder() if plan else self._table_builder()
            is_columnar = options.data_format == "PARQUET"
            files = source_files(
                self._command.source, reader, manifest=options.manifest, needs_sizes=is_columnar
            )
            for rows in _gathered(self._all_rows(read_ahead(files, reader), plan, builder)):
                if not options.no_load:
                    yield rows
        finally:
            reader.close()
            if self._workers:
                self._workers.close()

    def _all_rows(
        self, files: Iterator[FileContent], plan: RowPlan | None, builder: _Builder
    ) -> Iterator[bytes]:
        for content in files:
            if plan:
                self._call_workers(content, plan)
            for rows in self._load(content, builder):
                yield rows.data

    def finish(self, committed_rows: int) -> None:
        """Log the load as completed.

        Args:
            committed_rows: Rows that PostgreSQL took.
        """
        self._rows = committed_rows
        self._end(TransferTotals("completed", reached_rows=True, row_count=committed_rows))

    def fail(self, error: CopyError) -> None:
        """Log the load as aborted."""
        message = storable(mask_credentials(error.message))
        self._end(TransferTotals("aborted", reached_rows=error.reached_load, error_message=message))

    @property
    def _errors(self) -> int:
        return self._log.error_count if self._log else 0

    def _started(self) -> LoadLog:
        session = self._session
        start = TransferStart(
            kind="COPY",
            session_id=session.backend_pid,
            user=session.user,
            database_name=session.database,
            transaction_id=session.transaction_id,
            table_id=session.table_id,
            table_name=self._command.table,
            query_text=storable(mask_credentials(session.query_text)),
            location=storable(self._command.source),
            query_id=session.query_id,
            file_format=_LOGGED_FORMATS.get(self._command.options.data_format, "Text"),
        )
        return LoadLog(self._settings, start)

    def _end(self, totals: TransferTotals) -> None:
        totals.byte_count = self._bytes
        totals.files = self._files
        (self._log or self._started()).end(totals)

    def _plan(self, reader: S3Reader) -> RowPlan:
        options = self._command.options
        paths = None
        if options.json.startswith("s3://"):
            paths = parse_jsonpaths(
                reader.read(parse_address(options.json), MAX_JSONPATHS_BYTES), options.json
            )
        return RowPlan(self._columns, paths, options)

    def _table_builder(self) -> TextRows | ParquetRows:
        options = self._command.options
        if options.data_format == "PARQUET":
            return ParquetRows(self._columns, options, self._settings.region)
        return TextRows(self._columns, options)

    def _call_workers(self, content: FileContent, plan: RowPlan) -> None:
        """Start processes that help with a large file, or with many files by now."""
        if self._workers is None and self._bytes + content.size >= _WORTH_WORKERS_BYTES:
            self._workers = Workers(plan)

    def _load(self, content: FileContent, builder: _Builder) -> Iterator[Rows]:
        file = TransferredFile(
            *(content.url, content.size, utc_now(), utc_now()),
            etag=content.etag,
            last_modified=content.last_modified,
        )
        self._files.append(file)
        reader = self._reader(content, builder)
        try:
            for found in reader:
                if isinstance(found, BadDocument):
                    self._reject(document_error(found, content.url), file, fatal=found.fatal)
                else:
                    self._account(found, file)
                    yield found
        finally:
            file.line_count = reader.lines
            file.end_time = utc_now()

    def _reader(self, content: FileContent, builder: _Builder) -> JsonFile | TableReader:
        blocks, options = self._counted(content), self._command.options
        if not isinstance(builder, RowBuilder):
            return TableReader(blocks, builder, content.url, options)
        # A small file is done before a process has taken it.
        workers = self._workers if content.size >= BLOCK_BYTES else None
        return JsonFile(blocks, content.url, builder, options.ignore_header, workers)

    def _counted(self, content: FileContent) -> Iterator[bytes]:
        for block in decoded(content, self._command.options):
            self._bytes += len(block)
            yield block

    def _account(self, rows: Rows, file: TransferredFile) -> None:
        """Log what was replaced and what is bad; raise when too much is bad."""
        assert self._log is not None  # noqa: S101 — chunks() opened it
        self._log.add_replacements(rows.replacements)
        for error in rows.errors:
            self._reject(error, file)

    def _reject(self, error: FatalError, file: TransferredFile, *, fatal: bool = False) -> None:
        """Log a bad row; raise when it is one too many."""
        assert self._log is not None  # noqa: S101 — chunks() opened it
        self._log.add_error(error)
        file.error_count += 1
        options = self._command.options
        # 0 and 1 both mean the first error.
        too_many = self._log.error_count >= max(1, options.max_error) and not options.ignore_all_errors
        if too_many or fatal:
            raise load_failed(self._command.table)


def _gathered(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces that are not small; a large one is not copied."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= _CHUNK_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    if size:
        yield b"".join(waiting)
