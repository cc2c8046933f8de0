"""What the loading operators share: the connection, the retries, the rendered statements and the log line."""

import ipaddress
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from airflow.providers.common.sql.hooks.sql import DbApiHook
from airflow.providers.common.sql.operators.sql import BaseSQLOperator
from airflow.sdk import Connection as AirflowConnection
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowNotFoundException

from sparkify.failures import FatalError, explain, is_transient
from sparkify.star.lineage import describe_load
from sparkify.warehouse.ledger import LoadRecord, utc_now
from sparkify.warehouse.session import Connection, Session, run_load
from sparkify.window import Window, WindowError, resolve_window

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

Result = TypeVar("Result")


class LoadOperator(BaseSQLOperator):
    """Run one load over the connection `conn_id`, of type `redshift` or `postgres`.

    Args:
        table: the target, `table` or `schema.table`.
        conn_id: the warehouse's Airflow connection.
    """

    template_fields: Sequence[str] = ("table", "statements", *BaseSQLOperator.template_fields)
    template_fields_renderers: ClassVar[dict[str, str]] = {"statements": "sql"}
    # The UI's rendered view then shows the statements that ran, with the window's values written in.
    overwrite_rtif_after_execution = True
    ui_color = "#e4f0e8"

    def __init__(self, *, table: str, conn_id: str = "redshift_default", **kwargs: Any) -> None:
        super().__init__(conn_id=conn_id, **kwargs)
        self.table = table
        self.statements = ""
        self.loaded: LoadRecord | None = None
        self.loaded_files: Sequence[str] = ()
        self._is_loading = False

    def window(self, context: Context) -> Window:
        """Return and log the window of this run.

        Raises:
            AirflowFailException: the run has none; trying again would not give it one.
        """
        try:
            window = resolve_window(context)
        except WindowError as error:
            raise AirflowFailException(str(error)) from None
        self.log.info("Window %s", window)
        return window

    def run_in_warehouse(self, load: Callable[[Session], Result]) -> Result:
        """Run `load` with retries after transient failures and keep its statements for the UI.

        Raises:
            AirflowFailException: the failure is fatal: no retry of the task would mend it.
            AirflowException: the failure may pass; Airflow's own retries go on from here.
        """
        what, journal = f"{self.task_id}: writing {self.table} over connection {self.conn_id}", list[str]()
        self._is_loading = True
        try:
            hook = self.get_db_hook()
            server = hook.get_connection(self.conn_id)
            what = f"{what} ({server.host}:{server.port})"
            if not _is_host(server.host):
                raise FatalError(
                    f"{what} failed: the host {server.host!r} is no host's name. AWS shows an endpoint as "
                    "host:port/database: in the Airflow connection give host, port and schema (the database) "
                    "in fields of their own."
                )
            _name_session(hook, f"{self.dag_id}.{self.task_id}")
            return run_load(_opener(hook), load, what=what, log=self.log, journal=journal)
        except AirflowNotFoundException as error:
            raise AirflowFailException(f"{what} failed: {error}. Define this Airflow connection.") from None
        except Exception as error:
            message = explain(error, what)
            if is_transient(error):
                raise AirflowException(message) from error
            raise AirflowFailException(message) from (None if isinstance(error, FatalError) else error)
        finally:
            self._is_loading = False
            self.statements = ";\n\n".join(journal)

    def on_kill(self) -> None:
        """End the load at once: its connection is closed, so that the server undoes the open transaction.

        Airflow calls this when it gets SIGTERM, because somebody marked the task or the machine goes down,
        and would let the task go on. After a timeout, whose exception has ended the load already, there is
        nothing left to do.

        Raises:
            SystemExit: through the statement that runs. Airflow tries such a task again where it may.
        """
        if self._is_loading:
            raise SystemExit(f"{self.task_id} was ended from outside: {self.table} is as last committed.")

    def report(self, record: LoadRecord) -> dict[str, Any]:
        """Log what a load did in one line and return it as the task's XCom value."""
        self.loaded = record
        seconds = (utc_now() - record.started_at).total_seconds()
        if record.rows_inserted or record.rows_deleted or record.files:
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

    def get_openlineage_facets_on_start(self) -> None:
        """Leave lineage to the end of the task, when files and rows are known."""

    def get_openlineage_facets_on_complete(
        self, _task_instance: object
    ) -> "OperatorLineage[Any, Any] | None":
        """Return what this load read and wrote; the OpenLineage provider calls it where it is installed."""
        if self.loaded is None:
            return None
        return describe_load(
            self.get_db_hook(),
            self.table,
            self.loaded.rows_inserted,
            select=getattr(self, "sql", None),
            files=self.loaded_files,
        )


def _is_host(text: str | None) -> bool:
    """Tell whether a connection's host can be one: a name, an address or, for libpq, a socket's folder."""
    if not text or text.startswith("/") or not set(text) & set(":/@ "):
        return True
    with suppress(ValueError):
        return bool(ipaddress.ip_address(text))
    return False


def _name_session(hook: DbApiHook, name: str) -> None:
    """Name the session for STL_CONNECTION_LOG, unless the connection's extra has an application_name.

    redshift_connector would look for a name in the call stack, and read the whole of it from source files: a
    quarter of the processor time of a short task.
    """
    connection = getattr(hook, "conn", None)
    if isinstance(connection, AirflowConnection):
        connection.extra = json.dumps({"application_name": name, **connection.extra_dejson})


def _opener(hook: DbApiHook) -> Callable[[], Connection]:
    """Return what opens one connection of a hook, once.

    RedshiftSQLHook.get_conn tries five times whatever the error is, a wrong password too; `run_load` knows
    which errors pass.
    """
    get_conn = type(hook).get_conn
    return partial(getattr(get_conn, "__wrapped__", get_conn), hook)


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
