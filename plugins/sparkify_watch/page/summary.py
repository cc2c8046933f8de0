"""What the overview says of a dataset."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from definitions.dataset import Dataset
from sparkify_watch.mirror import read, read_files, read_quality


@dataclass(frozen=True, slots=True)
class Summary:
    """A dataset at a glance.

    Args:
        dataset: which.
        published: its tables that analysts read.
        staging: its other tables.
        bad_checks: those that did not pass when they were last asked.
        checks: how many checks there are.
        rejected: how many rows are on record as rejected.
    """

    dataset: Dataset
    published: Sequence[read.TableState]
    staging: Sequence[read.TableState]
    bad_checks: Sequence[read_quality.Check]
    checks: int
    rejected: int


def summarize(db: sqlite3.Connection, dataset: Dataset) -> Summary:
    """Return a dataset at a glance."""
    staging = [table for table in dataset.tables if table not in dataset.published]
    states = read.table_states(db, [*dataset.published, *staging])
    checks = read_quality.checks(db, dataset.name, history=1)
    return Summary(
        dataset,
        states[: len(dataset.published)],
        states[len(dataset.published) :],
        [check for check in checks if not check.last.is_good],
        len(checks),
        read_files.count_rejected(db, dataset.name),
    )
