"""ResetTablesOperator: tables emptied or made anew, once a person has typed which."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from sparkify.operators.base import WarehouseOperator
from sparkify.operators.lineage import Data, Lineage
from sparkify.operators.loading_runs import runs_under_way
from sparkify.operators.trace_tables import trace_tables
from sparkify.warehouse.ledger import TaskRun
from sparkify.warehouse.reset import check_choice, check_confirmation, database_name, empty, recreate
from sparkify.warehouse.schema import with_ops
from sparkify.warehouse.session import Session


class ResetTablesOperator(WarehouseOperator):
    """Empty some tables, or drop and make again all of them, if the confirmation is right.

    Both happen in one transaction, records in `ops` included: what files and hours are staged is forgotten
    with their rows, so that runs load them as if for the first time.

    Args:
        sql: the DDL of all tables, as for CreateTablesOperator.
        tables: the tables that may be emptied, all that are loaded, those of each dataset together: each
            table after those that it is made from.
        action: `empty` the chosen tables or `recreate` all of them.
        chosen: the names of the tables to empty, separated by spaces.
        confirmation: what a person typed: the names of the chosen tables in any order or, to recreate, the
            name of the database.
        beside: tables that loads keep beside others, by the name of the other: they are emptied with it.
        readers: the group that may read the tables `published`, those that are made again, too.
        published: those tables.
        loading_tag: the tag of DAGs whose runs load these tables; if given, none of them may be under way.

    Returns:
        The names of the tables that were emptied or made again.

    Raises:
        AirflowFailException: another confirmation is needed (the message says which), a table is unknown, a
            run is under way, or a statement failed; every table is as it was.
    """

    template_fields: Sequence[str] = (
        "sql",
        "action",
        "chosen",
        "confirmation",
        *WarehouseOperator.template_fields,
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {
        **WarehouseOperator.template_fields_renderers,
        "sql": "sql",
    }
    template_ext: Sequence[str] = (".sql",)
    ui_color = "#f0d8d8"

    def __init__(
        self,
        *,
        sql: Sequence[str],
        tables: Sequence[Sequence[str]],
        action: str,
        chosen: str,
        confirmation: str,
        beside: Mapping[str, str] = MappingProxyType({}),
        readers: str = "",
        published: Sequence[str] = (),
        loading_tag: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sql = list(sql)
        self.tables = tables
        self.action = action
        self.chosen = chosen
        self.confirmation = confirmation
        self.beside = beside
        self.readers = readers
        self.published = published
        self.loading_tag = loading_tag

    @property
    def doing(self) -> str:
        """What this task does in the warehouse, for its messages."""
        return (
            "making all tables anew" if self.action == "recreate" else f"emptying {self.chosen or 'tables'}"
        )

    def execute(self, context: Context) -> list[str]:
        """Reset what this run asks for."""
        if self.loading_tag and (loading := runs_under_way(context, self.dag.fileloc, self.loading_tag)):
            dag_id, running = loading
            raise AirflowFailException(
                f"Nothing was changed, because runs of {dag_id} are under way: {running}. Wait for them "
                "to end, or mark those that nobody works on any more as failed, and clear this task."
            )
        return self.run_in_warehouse(lambda session: self._reset(session, TaskRun.of(context)))

    def _reset(self, session: Session, run: TaskRun) -> list[str]:
        chosen = list(dict.fromkeys(self.chosen.split()))
        check_choice(self.action, chosen, [table for dataset in self.tables for table in dataset])
        if self.action == "recreate":
            database = database_name(session)
            doing = f"To drop and make again all tables of the database {database}, with all that is in them"
            check_confirmation(self.confirmation, [database], doing)
            made = recreate(session, self.sql, self.readers, self.published)
            self.log.info("Dropped and made again: %s", ", ".join(made))
            self.trace = lambda: trace_tables(with_ops(self.sql), made, "OVERWRITE")
            return made
        check_confirmation(self.confirmation, chosen, f"To empty {', '.join(chosen)}")
        # Those of a dataset that nobody has loaded need not exist.
        concerned = [table for dataset in self.tables if set(chosen) & set(dataset) for table in dataset]
        rows = empty(session, chosen, concerned, run, self.beside)
        self.trace = lambda: Lineage((), [Data(name=table, change="TRUNCATE") for table in rows])
        self.log.info("Emptied: %s", ", ".join(f"{table} ({count:,} rows)" for table, count in rows.items()))
        return chosen
