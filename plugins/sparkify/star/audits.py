"""Audits: what must hold for the rows of a load before they are committed."""

from collections.abc import Sequence
from dataclasses import dataclass

from sparkify.failures import FatalError
from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import quote_columns, quote_identifier, quote_table


@dataclass(frozen=True, slots=True)
class Audits:
    """Promises about the incoming rows of one load; a broken one rolls the load back.

    Args:
        not_null: columns without NULL.
        unique: columns that together are different in every row.
        min_rows: how many rows there must be at least.
    """

    not_null: Sequence[str] = ()
    unique: Sequence[str] = ()
    min_rows: int = 0


def audit_rows(session: Session, table: str, audits: Audits, what: str) -> int:
    """Return how many rows `table` holds, once every audit of them passed.

    Args:
        session: the session of the load, inside its transaction.
        table: the table of incoming rows.
        audits: what must hold.
        what: the load, for the message.

    Raises:
        FatalError: an audit failed; the message names all that did.
    """
    nulls = [f"SUM(CASE WHEN {quote_identifier(c)} IS NULL THEN 1 ELSE 0 END)" for c in audits.not_null]
    counts = ", ".join(["COUNT(*)", *nulls])
    rows, *null_counts = session.query(f"SELECT {counts} FROM {quote_table(table)}")[0]
    broken = [
        f"{count} of {rows} rows have no {column}"
        for column, count in zip(audits.not_null, null_counts, strict=True)
        if count
    ]
    if rows < audits.min_rows:
        broken.append(f"{rows} rows, where at least {audits.min_rows} are expected")
    if audits.unique and (doubled := _count_doubled(session, table, audits.unique)):
        broken.append(f"{doubled} values of ({', '.join(audits.unique)}) come more than once")
    if broken:
        raise FatalError(
            f"{what} was rolled back by its audits: {'; '.join(broken)}. The table is as it was."
        )
    return int(rows)


def _count_doubled(session: Session, table: str, columns: Sequence[str]) -> int:
    names = quote_columns(columns)
    return int(
        session.scalar(
            f"SELECT COUNT(*) FROM (SELECT {names} FROM {quote_table(table)} "
            f"GROUP BY {names} HAVING COUNT(*) > 1) AS doubled"
        )
    )
