"""Audits: what must hold for the rows of a load before they are committed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sparkify.failures import FatalError
from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import Value, quote_columns, quote_identifier, quote_table


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


def audit_rows(
    session: Session,
    table: str,
    audits: Audits,
    what: str,
    *,
    outside: str = "",
    values: Mapping[str, Value] | None = None,
) -> None:
    """Let a load go on if its rows keep every promise; one query reads them once.

    Args:
        session: the session of the load, inside its transaction.
        table: the table of incoming rows.
        audits: what must hold.
        what: the load, for the message.
        outside: a condition that no row may fulfil: it is not of the window.
        values: what the condition names.

    Raises:
        FatalError: an audit failed; the message names all that did.
    """
    wrong = [f"{quote_identifier(column)} IS NULL" for column in audits.not_null]
    wrong += [outside] if outside else []
    rows, doubled, *counts = _count(session, table, audits.unique, wrong, values or {})
    broken = [
        f"{count} of {rows} rows have no {column}"
        for column, count in zip(audits.not_null, counts, strict=False)
        if count
    ]
    if outside and counts[-1]:
        broken.append(f"{counts[-1]} rows lie outside the window, to which the SELECT must keep")
    if rows < audits.min_rows:
        broken.append(f"{rows} rows, where at least {audits.min_rows} are expected")
    if doubled:
        broken.append(f"{doubled} values of ({', '.join(audits.unique)}) come more than once")
    if broken:
        raise FatalError(
            f"{what} was rolled back by its audits: {'; '.join(broken)}. The table is as it was."
        )


def _count(
    session: Session, table: str, key: Sequence[str], wrong: Sequence[str], values: Mapping[str, Value]
) -> list[int]:
    """Return the number of rows, of keys that come more than once, and of rows that are wrong in each way."""
    marks = "".join(f", SUM(CASE WHEN {one} THEN 1 ELSE 0 END) AS wrong_{n}" for n, one in enumerate(wrong))
    group = f" GROUP BY {quote_columns(key)}" if key else ""
    sums = "".join(f", SUM(wrong_{n})" for n in range(len(wrong)))
    doubled = "SUM(CASE WHEN copies > 1 THEN 1 ELSE 0 END)" if key else "0"
    [row] = session.query(
        f"SELECT SUM(copies), {doubled}{sums}\n"
        f"FROM (SELECT COUNT(*) AS copies{marks} FROM {quote_table(table)}{group}) AS counted",
        values,
    )
    return [int(count or 0) for count in row]
