"""The lineage of work on tables as such: made, checked, compared with their files."""

import re
from collections.abc import Mapping, Sequence

from airflow.providers.common.sql.operators.sql import SQLCheckResult

from sparkify.operators.lineage import Change, Data, Lineage, Origin
from sparkify.stage.reconciliation import SOURCE, Reconciliation
from sparkify.star.lineage import find_reads
from sparkify.warehouse.schema import Relation, made_relation

# The type in a column's definition: `name VARCHAR(32) NOT NULL`, `"25_35_yo" DOUBLE PRECISION`.
_TYPE = re.compile(r"^\S+\s+(\w+(?:\s+PRECISION)?(?:\s*\([\d\s,]+\))?)", re.IGNORECASE)


def trace_tables(statements: Sequence[str], made: Sequence[str], change: Change = "CREATE") -> Lineage:
    """Return the tables that were made, and every view: what it reads is known nowhere else.

    Args:
        statements: DDL, one each.
        made: the names of what was made.
        change: what that was.
    """
    inputs: set[str] = set()
    outputs: list[Data] = []
    for statement in statements:
        relation = made_relation(statement)
        if relation is None or relation.kind == "SCHEMA":
            continue
        state = change if relation.name in made else None
        if relation.kind == "VIEW":
            reads = find_reads(statement)
            inputs.update(reads.tables)
            outputs.append(_describe_view(relation, reads.columns, state))
        elif state:
            outputs.append(Data(name=relation.name, columns=_types(relation), change=state))
    return Lineage([Data(name=table) for table in sorted(inputs)], outputs)


def trace_checks(results: Sequence[SQLCheckResult]) -> Lineage:
    """Return the tables that were checked, each with what came of it."""
    tables = sorted({result.table for result in results if result.table})
    return Lineage(
        [Data(name=table, checks=[result for result in results if result.table == table]) for table in tables]
    )


def trace_comparison(outcome: Reconciliation) -> Lineage:
    """Return the tables that were compared with their files, each with whether it is what they say."""
    inputs = []
    for table, hours in outcome.rows.items():
        if table != SOURCE:
            differing = sum(table in tables for tables in outcome.hours.values())
            check = SQLCheckResult(
                name=f"{table} is what its source files say",
                check_type="equals_source",
                success=not differing,
                table=table,
                expected="0 hours differ",
                actual=f"{differing} hours differ in {outcome.window}",
            )
            inputs.append(Data(name=table, rows=sum(hours.values()), checks=[check]))
    return Lineage(inputs)


def _describe_view(
    view: Relation, columns: Mapping[str, Sequence[tuple[str, str]]], change: Change | None
) -> Data:
    origins = {name: [Origin(*origin) for origin in found] for name, found in columns.items()}
    return Data(name=view.name, columns=dict.fromkeys(origins, ""), origins=origins, change=change)


def _types(table: Relation) -> dict[str, str]:
    found = {name: _TYPE.match(definition) for name, definition in table.columns.items()}
    return {name: " ".join(match[1].lower().split()) if match else "" for name, match in found.items()}
