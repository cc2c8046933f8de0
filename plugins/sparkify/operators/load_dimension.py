"""LoadDimensionOperator: one SELECT over staging tables into a dimension table."""

from collections.abc import Sequence
from typing import Any, ClassVar

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from sparkify.operators.base import LoadOperator
from sparkify.star.audits import Audits
from sparkify.star.loading import LoadJob, LoadMode, load
from sparkify.warehouse.ledger import TaskRun


class LoadDimensionOperator(LoadOperator):
    """Load a dimension table from a SELECT so that running it again changes nothing.

    Args:
        table: the dimension table.
        sql: the SELECT, or a `.sql` file below the DAG's template_searchpath. It names the target's columns,
            gives each key once and may use `%(window_start)s` and `%(window_end)s`.
        mode: `upsert`: replace rows of the same key and add the others; `window`: replace the window's rows;
            `append`: add rows whose key is not there; `replace`: the table becomes what the SELECT gives.
        key_columns: the columns that identify a row; every mode but `window` and `replace` needs them.
        newer_by: mode `upsert`: a time column; a row only replaces one that is not newer, so the order in
            which windows are loaded does not matter.
        time_column: mode `window`: the target's column that places a row in a window.
        audits: what must hold for the incoming rows, or the load is rolled back; by default
            that the key is there and unique.
        late_windows_of: a staging table: windows of it that were staged again because their files changed
            are loaded again, too, once each.
        late_windows_after: tables that must have taken in such a window first.

    Returns:
        Rows and seconds of the load.

    Raises:
        ValueError: arguments that do not go together.
        AirflowFailException: an audit failed or the SQL is wrong; the table is as it was.
    """

    template_fields: Sequence[str] = ("sql", *LoadOperator.template_fields)
    template_fields_renderers: ClassVar[dict[str, str]] = {
        **LoadOperator.template_fields_renderers,
        "sql": "sql",
    }
    template_ext: Sequence[str] = (".sql",)

    def __init__(
        self,
        *,
        sql: str,
        mode: LoadMode = "upsert",
        key_columns: Sequence[str] = (),
        newer_by: str | None = None,
        time_column: str | None = None,
        audits: Audits | None = None,
        late_windows_of: str | None = None,
        late_windows_after: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if mode in ("upsert", "append") and not key_columns:
            raise ValueError(f"Mode {mode} needs key_columns")
        if mode == "window" and not time_column:
            raise ValueError("Mode window needs time_column")
        if newer_by and mode != "upsert":
            raise ValueError("newer_by goes with mode upsert")
        if late_windows_of and not (mode == "window" or (mode == "upsert" and newer_by)):
            raise ValueError("late_windows_of goes with mode window, or upsert with newer_by")
        self.sql = sql
        self.mode = mode
        self.key_columns = key_columns
        self.newer_by = newer_by
        self.time_column = time_column
        self.audits = audits or Audits(not_null=key_columns, unique=key_columns)
        self.late_windows_of = late_windows_of
        self.late_windows_after = late_windows_after

    def execute(self, context: Context) -> dict[str, Any]:
        """Load the dimension rows of this run."""
        window = self.window(context) if self.mode == "window" or "%(window_" in self.sql else None
        if self.late_windows_of and window is None:
            raise AirflowFailException(
                f"{self.task_id}: late_windows_of goes with a SELECT that keeps to %(window_start)s and "
                "%(window_end)s; this one names neither."
            )
        job = LoadJob(
            table=self.table,
            mode=self.mode,
            select=self.sql,
            run=TaskRun.of(context),
            window=window,
            late_windows_of=self.late_windows_of,
            late_windows_after=self.late_windows_after,
            time_column=self.time_column,
            key_columns=self.key_columns,
            newer_by=self.newer_by,
            audits=self.audits,
        )
        return self.report(self.run_in_warehouse(lambda session: load(session, job, self.log)))
