"""The report from a session of the warehouse."""

from pathlib import Path
from tempfile import TemporaryDirectory

from definitions import DATASETS
from sparkify.warehouse.session import Session
from sparkify_watch.mirror.refresh import refresh
from sparkify_watch.mirror.store import Store
from sparkify_watch.report.document import write
from sparkify_watch.report.periods import count_periods


def make_report(session: Session) -> str:
    """Copy what the warehouse says into a mirror of its own, and return the report made of it.

    Args:
        session: with nothing open; it only reads.
    """
    with TemporaryDirectory(prefix="sparkify-report-") as folder:
        store = Store(Path(folder) / "mirror.sqlite3")
        refresh(session, store, DATASETS)
        periods = {table: found for each in DATASETS for table, found in count_periods(session, each).items()}
        with store.reading() as db:
            return write(db, DATASETS, periods)
