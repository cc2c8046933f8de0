"""Starting over: chosen tables emptied, or all of them dropped and made again, each in one transaction.

Afterwards what `ops` says of the tables is true: nothing counts as staged whose rows are gone.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sparkify.failures import FatalError
from sparkify.warehouse import changes, ledger
from sparkify.warehouse.grants import grant_read, has_group
from sparkify.warehouse.ledger import LoadRecord, TaskRun
from sparkify.warehouse.schema import drop, made_relation, with_ops
from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import named_values, quote_table


def check_choice(action: str, chosen: Sequence[str], tables: Sequence[str]) -> None:
    """Refuse what cannot be meant.

    Args:
        action: `empty` or `recreate`.
        chosen: the tables to empty.
        tables: those that may be emptied.

    Raises:
        FatalError: the message says what to choose instead.
    """
    known = f"The tables are: {', '.join(tables)}."
    if action not in ("empty", "recreate"):
        raise FatalError(f"Nothing was changed. The action is empty or recreate, not {action!r}.")
    if action == "recreate" and chosen:
        raise FatalError(
            "Nothing was changed. The action recreate is for all tables: choose none, or the action empty."
        )
    if unknown := [table for table in chosen if table not in tables]:
        raise FatalError(f"Nothing was changed. There is no table {', '.join(unknown)} to empty. {known}")
    if action == "empty" and not chosen:
        raise FatalError(f"Nothing was changed. Choose at least one table to empty. {known}")


def check_confirmation(typed: str, names: Sequence[str], doing: str) -> None:
    """Refuse to go on unless a person typed exactly these names, in any order.

    Args:
        typed: the names, between them spaces or commas.
        names: what has to be typed.
        doing: what is confirmed, for example `To empty these tables`.

    Raises:
        FatalError: the message says what to type.
    """
    if set(typed.replace(",", " ").split()) != set(names):
        raise FatalError(
            f"Nothing was changed, because the confirmation is missing or another one. {doing}, "
            f"trigger a run with this confirmation: {' '.join(names)}"
        )


def database_name(session: Session) -> str:
    """Return the name of the database that the session is connected to."""
    name = session.scalar("SELECT CURRENT_DATABASE()")
    # What was read here must not be the snapshot of what follows.
    session.commit()
    return str(name)


def empty(
    session: Session,
    chosen: Sequence[str],
    tables: Sequence[str],
    run: TaskRun,
    beside: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, int]:
    """Delete all rows of the chosen tables and forget their loads; return how many rows each table had.

    Args:
        session: a fresh session.
        chosen: the tables to empty.
        tables: all tables of their datasets, each after those that it is made from.
        run: recorded in `ops.loads`, with the number of rows, once for each table.
        beside: tables that loads keep beside others, by the name of the other: they are emptied with it.
    """
    started_at = ledger.utc_now()
    # All of them, so that no load stands between what it wrote and what it records. A load reads the tables
    # that its own is made from under the lock of its own: in the opposite order the two would wait for each
    # other.
    with session.publishing(*reversed(tables), ledger.STAGED_FILES):
        # Never TRUNCATE: it would commit.
        rows = {table: session.execute(f"DELETE FROM {quote_table(table)}") for table in chosen}
        for table in filter(None, map(beside.get, chosen)):
            session.execute(f"DELETE FROM {quote_table(table)}")
        _forget(session, chosen, tables)
        for table, count in rows.items():
            record = LoadRecord(ledger.new_load_id(), run, table, started_at, rows_deleted=count)
            ledger.record_load(session, record)
    return rows


def recreate(
    session: Session, sql: Sequence[str], readers: str = "", published: Sequence[str] = ()
) -> list[str]:
    """Drop the tables of `ops`, and tables and views that `sql` makes; make them again, return their names.

    Args:
        session: a fresh session.
        sql: texts of CREATE TABLE IF NOT EXISTS and CREATE SCHEMA IF NOT EXISTS, in the order in which they
            can be run.
        readers: the group, if there is such a one, that may read the tables `published` again.
        published: those tables.

    Raises:
        FatalError: a table of one of the names belongs to another user.
    """
    ddl = with_ops(sql)
    made = {statement: made_relation(statement) for statement in ddl}
    relations = [relation for relation in made.values() if relation and relation.kind != "SCHEMA"]
    _check_owners(session, [relation.name for relation in relations])
    # A schema first, so that what is dropped may be missing, but not the schema it would be in.
    for statement, relation in made.items():
        if relation not in relations:
            session.execute(statement)
    # In the order of `empty`; it is also the one in which no other table still refers to the dropped one.
    with session.publishing(*(relation.name for relation in reversed(relations) if relation.kind == "TABLE")):
        drop(session, relations)
        for statement, relation in made.items():
            if relation in relations:
                session.execute(statement)
        if readers and has_group(session, readers):
            grant_read(session, readers, published)
    return [relation.name for relation in relations]


def _check_owners(session: Session, tables: Sequence[str]) -> None:
    """Refuse to drop what another user has made under one of these names; a superuser would be let."""
    if theirs := _find_tables_of_others(session, tables):
        raise FatalError(
            f"Nothing was changed, because other users own tables of these names: {', '.join(theirs)}. If "
            "they are the warehouse's, give them to the user of the connection: redshift_cluster with the "
            "action provision hands over the master user's. Otherwise rename them."
        )


def _find_tables_of_others(session: Session, tables: Sequence[str]) -> list[str]:
    """Return the tables of these names that other users own, each with its owner."""
    names, values = named_values("table", [table.rpartition(".")[2] for table in tables])
    others = session.query(
        f"""
        SELECT schemaname, tablename, tableowner, CURRENT_SCHEMA() FROM pg_tables
        WHERE tablename IN ({names}) AND tableowner <> CURRENT_USER
        """,
        values,
    )
    # What was read here must not be the snapshot of what follows.
    session.commit()
    return [
        f"{schema}.{table} of {owner}"
        for schema, table, owner, current in others
        if f"{schema}.{table}" in tables or (table in tables and schema in {current, "public"})
    ]


def _forget(session: Session, chosen: Sequence[str], tables: Sequence[str]) -> None:
    """Take back what `ops` says of the rows that are gone, in the order in which loads write these tables."""
    emptied, values = named_values("emptied", chosen)
    changes.forget(session, chosen, tables)
    # What was loaded stays on record, but an hour counts as staged as long as a load has it as its window.
    session.execute(
        f"""
        UPDATE ops.loads
        SET window_start = NULL, window_end = NULL
        WHERE target_table IN ({emptied}) AND window_end IS NOT NULL
        """,
        values,
    )
    session.execute(f"DELETE FROM ops.sources WHERE dataset IN ({emptied})", values)
    session.execute(f"DELETE FROM ops.staged_files WHERE dataset IN ({emptied})", values)
    session.execute(f"DELETE FROM ops.refused_rows WHERE target_table IN ({emptied})", values)
    session.execute(
        f"""
        DELETE FROM ops.rejected_rows
        WHERE load_id IN (SELECT load_id FROM ops.loads WHERE target_table IN ({emptied}))
        """,
        values,
    )
