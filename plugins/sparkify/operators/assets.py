"""Assets: the tables that loads write, for DAGs that are scheduled on them."""

from typing import Any

from airflow.providers.common.sql.operators.sql import BaseSQLOperator
from airflow.sdk import Asset, Context

from sparkify.warehouse.ledger import LoadRecord
from sparkify.window import Window


def table_asset(table: str, conn_id: str = "redshift_default") -> Asset:
    """Return the asset of a table: the same wherever the connection leads to.

    A name rather than an address, which only the connection knows: a DAG file must not ask for it.

    Args:
        table: `table` or `schema.table`.
        conn_id: the Airflow connection that it is loaded over.
    """
    return Asset(f"{conn_id}.{table.lower().removeprefix('public.')}")


def add_outlet(task: BaseSQLOperator, table: object) -> None:
    """Make the table an outlet of the task, unless a template still has to say which it is."""
    if isinstance(table, str) and "{" not in f"{table}{task.conn_id}":
        task.add_outlets([table_asset(table, str(task.conn_id))])


def announce(task: BaseSQLOperator, table: str, record: LoadRecord, context: Context) -> None:
    """Tell the DAGs that are scheduled on a table what a load has changed; of nothing they are not told.

    Airflow emits an event for each outlet of a task that succeeds: what is no outlet any more has none. Of a
    second try there always is one: the first may have changed rows and been killed before it could say so.
    """
    asset = table_asset(table, str(task.conn_id))
    is_first_try = getattr(context["ti"], "try_number", 1) <= 1
    if is_first_try and not (record.rows_changed or record.rows_updated or record.other_windows):
        task.outlets = [outlet for outlet in task.outlets if outlet != asset]
    elif (events := context.get("outlet_events")) is not None:
        events[asset].extra = _describe(record)


def _describe(record: LoadRecord) -> dict[str, Any]:
    return {
        "load_id": record.load_id,
        **(_ends(record.window) if record.window else {"window_start": None, "window_end": None}),
        "other_windows": [_ends(window) for window in record.other_windows],
        "rows_inserted": record.rows_inserted,
        "rows_deleted": record.rows_deleted,
        "rows_updated": record.rows_updated,
        "rows_rejected": record.rows_rejected,
    }


def _ends(window: Window) -> dict[str, Any]:
    return {"window_start": window.start.isoformat(), "window_end": window.end.isoformat()}
