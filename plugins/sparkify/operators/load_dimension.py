"""LoadDimensionOperator: one SELECT over staging tables into a dimension table."""

from typing import Any

from sparkify.operators.load_table import LoadTableOperator
from sparkify.star.job import LoadMode


class LoadDimensionOperator(LoadTableOperator):
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
        follows: the staging tables whose changes reach rows that were loaded before; see Follow.

    Returns:
        Rows and seconds of the load.

    Raises:
        ValueError: arguments that do not go together.
        AirflowFailException: an audit failed or the SQL is wrong; the table is as it was.
    """

    def __init__(self, *, mode: LoadMode = "upsert", newer_by: str | None = None, **kwargs: Any) -> None:
        super().__init__(mode=mode, newer_by=newer_by, **kwargs)
        if newer_by and mode != "upsert":
            raise ValueError("newer_by goes with mode upsert")
