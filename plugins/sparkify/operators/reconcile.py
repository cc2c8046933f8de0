"""ReconcileOperator: source files, staging table and loaded tables compared hour by hour."""

from collections.abc import Sequence
from typing import Any, ClassVar

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from sparkify.operators.base import LoadOperator
from sparkify.operators.stage_redshift import StageToRedshiftOperator
from sparkify.stage.reconciliation import LoadedTable, Reconciliation, reconcile


class ReconcileOperator(StageToRedshiftOperator):
    """Tell in which hours of the window the warehouse is not what the source files say.

    The files are copied into a temp table and compared, row by row, with the staging table; what the SELECTs
    of the loaded tables give is compared with these tables. Nothing is changed. A run that loads at the same
    time may stand between two of its commits; its hours then differ for that moment.

    Args:
        loaded_tables: tables that are loaded from the staging table, window by window.
        loaded_sql: for each of them, the SELECT or `.sql` file that loads it.
        loaded_time_column: their column that places a row in a window.
        fail: fail when hours differ; otherwise return them.
        **kwargs: how the staging table is staged, as for StageToRedshiftOperator, with a `key_pattern`.

    Returns:
        The hours that differ as windows: a list of `{"window_start": …, "window_end": …}`, each the conf of
        a run that loads it.

    Raises:
        ValueError: arguments that do not go together.
        AirflowFailException: hours differ and `fail` is set; or as for StageToRedshiftOperator.
    """

    template_fields: Sequence[str] = ("loaded_sql", "fail", *StageToRedshiftOperator.template_fields)
    template_fields_renderers: ClassVar[dict[str, str]] = {
        **LoadOperator.template_fields_renderers,
        "loaded_sql": "sql",
    }
    template_ext: Sequence[str] = (".sql",)
    ui_color = "#f0e8d8"

    def __init__(
        self,
        *,
        loaded_tables: Sequence[str],
        loaded_sql: Sequence[str],
        loaded_time_column: str,
        fail: bool | str = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(mode="window", **kwargs)
        if self.key_pattern is None:
            raise ValueError("Reconciliation needs key_pattern")
        self.loaded_tables = loaded_tables
        self.loaded_sql = list(loaded_sql)
        self.loaded_time_column = loaded_time_column
        self.fail = fail

    def execute(self, context: Context) -> list[dict[str, str]]:  # type: ignore[override] # other results
        """Compare the window of this run."""
        loaded = [
            LoadedTable(table, select, self.loaded_time_column)
            for table, select in zip(self.loaded_tables, self.loaded_sql, strict=True)
        ]
        job, s3 = self.job(context), self.s3()
        found = self.run_in_warehouse(lambda session: reconcile(session, job, loaded, s3, self.log))
        totals = ", ".join(f"{name} {count:,}" for name, count in found.totals().items())
        self.log.info("Rows in %s: %s", found.window, totals)
        if not found.hours:
            self.log.info("No hour differs.")
            return []
        self.log.warning("Hours that differ: %d\n%s", len(found.hours), found.table())
        conf = [
            {"window_start": window.start.isoformat(), "window_end": window.end.isoformat()}
            for window in found.windows
        ]
        # A templated flag arrives as text.
        if str(self.fail).lower() == "true":
            raise AirflowFailException(_message(found, conf))
        return conf


def _message(found: Reconciliation, conf: Sequence[dict[str, str]]) -> str:
    shown = "\n".join(f"  {one['window_start']} to {one['window_end']}" for one in conf[:20])
    more = f"\n  … and {len(conf) - 20} more" if len(conf) > 20 else ""
    return (
        f"Hours of {found.window} that are not what their source files say: {len(found.hours)}, "
        f"in these windows:\n{shown}{more}\n"
        "Load them again: trigger this DAG with reload, or the loading DAG for each window "
        "(params window_start and window_end). The table of hours is in this task's log."
    )
