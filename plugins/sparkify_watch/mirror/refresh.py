"""From the warehouse into the mirror: what is new since the last time, all of it the first time."""

import json
from collections.abc import Callable, Sequence

from definitions.dataset import Dataset
from sparkify.warehouse.ledger import utc_now
from sparkify.warehouse.session import Session
from sparkify_watch.mirror.answers import ask_questions
from sparkify_watch.mirror.counts import count_tables
from sparkify_watch.mirror.records import bring_records
from sparkify_watch.mirror.schema import stamp
from sparkify_watch.mirror.store import Store

Step = Callable[[Session, Store, Sequence[Dataset]], None]

STEPS: tuple[Step, ...] = (bring_records, count_tables, ask_questions)
"""What a refresh consists of, in this order; each commits what it has brought."""

_COPIED = (
    *("pulses", "loads", "load_days", "staged_files", "rejected_rows", "refused_rows"),
    *("quality_results", "changes", "changes_taken", "retention", "tables", "answers"),
)


def refresh(session: Session, store: Store, datasets: Sequence[Dataset], warehouse: str = "") -> None:
    """Make the mirror what the warehouse is.

    What was emptied or made again there goes here, too. A refresh that fails half-way leaves what it has
    brought, and the next one goes on from there.

    Args:
        session: with nothing open; it only reads.
        store: the mirror.
        datasets: whose tables are looked at.
        warehouse: names the warehouse; what the mirror holds of another is forgotten.
    """
    _forget_others(store, warehouse, datasets)
    began = utc_now()
    for step in STEPS:
        step(session, store, datasets)
    note(store, picture_at=stamp(began), tried_at=stamp(began), problem="")


def note(store: Store, **values: str) -> None:
    """Keep facts about the picture."""
    with store.writing() as db:
        db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values.items())


def _forget_others(store: Store, warehouse: str, datasets: Sequence[Dataset]) -> None:
    """Empty the mirror where it is of another warehouse, or its rows belong to datasets otherwise."""
    source = json.dumps([warehouse, {each.name: each.tables for each in datasets}])
    with store.reading() as db:
        row = db.execute("SELECT value FROM meta WHERE name = 'source'").fetchone()
    if row and row[0] == source:
        return
    with store.writing() as db:
        for name in _COPIED:
            db.execute(f"DELETE FROM {name}")
        db.execute("DELETE FROM meta")
        db.execute("INSERT INTO meta VALUES ('source', ?)", (source,))
