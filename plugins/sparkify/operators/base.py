"""What the operators of the warehouse share: the connection, the retries and the rendered statements."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

from airflow.providers.common.sql.operators.sql import BaseSQLOperator
from airflow.sdk import Context

from sparkify.operators.assets import add_outlet, announce, with_told_window
from sparkify.operators.connection import check_host, make_opener, server_of
from sparkify.operators.task_docs import with_doc
from sparkify.operators.task_failures import translate_failures
from sparkify.operators.traced import Traced
from sparkify.warehouse.ledger import LoadRecord, utc_now
from sparkify.warehouse.session import Session
from sparkify.warehouse.tries import run_load
from sparkify.window import Window, resolve_window

Result = TypeVar("Result")


class WarehouseOperator(Traced, BaseSQLOperator):
    """Work in the warehouse over the connection `conn_id`, of type `redshift` or `postgres`.

    Args:
        conn_id: the warehouse's Airflow connection.
    """

    template_fields: Sequence[str] = ("statements", *BaseSQLOperator.template_fields)
    template_fields_renderers: ClassVar[dict[str, str]] = {"statements": "sql"}
    # The UI's rendered view then shows the statements that ran, with the window's values written in.
    overwrite_rtif_after_execution = True
    ui_color = "#e4f0e8"

    def __init__(self, *, conn_id: str = "redshift_default", **kwargs: Any) -> None:
        super().__init__(conn_id=conn_id, **with_doc(type(self), kwargs))
        self.statements = ""
        self._is_working = False

    @property
    def doing(self) -> str:
        """What this task does in the warehouse, for its messages, such as `writing users`."""
        raise NotImplementedError

    def window(self, context: Context) -> Window:
        """Return and log the window of this run.

        Raises:
            AirflowFailException: the run has none; trying again would not give it one.
        """
        with translate_failures(f"{self.task_id}: looking for the run's window"):
            window = resolve_window(with_told_window(context))
        self.log.info("Window %s", window)
        return window

    def run_in_warehouse(self, work: Callable[[Session], Result]) -> Result:
        """Run `work` with retries after transient failures and keep its statements for the UI.

        Raises:
            AirflowFailException: the failure is fatal: no retry of the task would mend it.
            AirflowException: the failure may pass; Airflow's own retries go on from here.
        """
        what, journal = f"{self.task_id}: {self.doing} over connection {self.conn_id}", list[str]()
        self._is_working = True
        try:
            with translate_failures(what):
                hook = self.get_db_hook()
                server = server_of(hook, str(self.conn_id))
            what = f"{what} ({server.host}:{server.port})" if server.host else what
            with translate_failures(what):
                check_host(server, what)
                connect = make_opener(hook, f"{self.dag_id}.{self.task_id}")
                return run_load(connect, work, what=what, log=self.log, journal=journal)
        finally:
            self._is_working = False
            self.statements = ";\n\n".join(journal)

    def on_kill(self) -> None:
        """End the work at once: its connection is closed, so that the server undoes the open transaction.

        Airflow calls this when it gets SIGTERM, because somebody marked the task or the machine goes down,
        and would let the task go on. After a timeout, whose exception has ended the work already, there is
        nothing left to do.

        Raises:
            SystemExit: through the statement that runs. Airflow tries such a task again where it may.
        """
        if self._is_working:
            raise SystemExit(
                f"{self.task_id} was ended from outside while {self.doing}: every table is as last committed."
            )


class LoadOperator(WarehouseOperator):
    """Run one load.

    Args:
        table: the target, `table` or `schema.table`.
        conn_id: the warehouse's Airflow connection.
    """

    template_fields: Sequence[str] = ("table", *WarehouseOperator.template_fields)

    def __init__(self, *, table: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.table = table
        add_outlet(self, table)

    @property
    def doing(self) -> str:
        """What this task does in the warehouse, for its messages."""
        return f"writing {self.table}"

    def report(self, record: LoadRecord, context: Context) -> dict[str, Any]:
        """Log what a load did in one line, tell who waits for it, and return it as the task's XCom value."""
        announce(self, self.table, record, context)
        seconds = (utc_now() - record.started_at).total_seconds()
        self.log.info("%s", _describe(record, seconds))
        return {
            "load_id": record.load_id,
            "rows_inserted": record.rows_inserted,
            "rows_deleted": record.rows_deleted,
            "rows_rejected": record.rows_rejected,
            "files": record.files,
            "bytes": record.bytes,
            "seconds": round(seconds, 3),
        }


def _describe(record: LoadRecord, seconds: float) -> str:
    """Return one line on a load for its task's log."""
    source = ""
    if record.files:
        rate = record.rows_inserted / seconds
        source = f" from {record.files:,} files, {record.bytes / 1e6:,.1f} MB ({rate:,.0f} rows/s)"
    counts = (
        f"{record.rows_inserted:,} rows in, {record.rows_deleted:,} out, {record.rows_rejected:,} rejected"
    )
    return f"Loaded {record.target_table}: {counts}{source}, {seconds:.2f} s"
