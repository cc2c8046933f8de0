"""LoadFactOperator: one SELECT over staging tables into a fact table."""

from typing import Any, Literal

from sparkify.operators.load_table import LoadTableOperator


class LoadFactOperator(LoadTableOperator):
    """Load a fact table from a SELECT so that running it again changes nothing.

    Args:
        table: the fact table.
        sql: the SELECT, or a `.sql` file below the DAG's template_searchpath. It names the target's columns
            and may use `%(window_start)s` and `%(window_end)s`.
        mode: `window`: replace the window's rows; `append`: add rows whose key is new; `replace`: the table
            becomes what the SELECT gives.
        time_column: mode `window`: the target's column that places a row in a window.
        key_columns: mode `append`: the columns that identify a row.
        audits: what must hold for the incoming rows, or the load is rolled back; by default that
            `key_columns` are there and unique.
        follows: the staging tables whose changes reach rows that were loaded before; see Follow.

    Returns:
        Rows and seconds of the load.

    Raises:
        ValueError: arguments that do not go together.
        AirflowFailException: an audit failed or the SQL is wrong; the table is as it was.
    """

    def __init__(self, *, mode: Literal["window", "append", "replace"] = "window", **kwargs: Any) -> None:
        super().__init__(mode=mode, **kwargs)
