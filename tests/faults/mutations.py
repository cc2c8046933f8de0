"""Faults built into the pipeline's code, one for each rule that keeps the tables right."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sparkify.operators import LoadFactOperator
from sparkify.stage.copying import FileCopier
from sparkify.stage.job import StagingJob
from sparkify.stage.modes import WindowMode
from sparkify.stage.stager import Stager
from sparkify.star import loader, modes
from sparkify.star.job import INCOMING, NO_AUDITS, LoadJob
from sparkify.star.loader import Loader
from sparkify.warehouse import changes, ledger
from sparkify.warehouse.changes import Change
from sparkify.warehouse.rejected_rows import RejectedRow
from sparkify.warehouse.session import Session


def lose_lock() -> None:
    """Writers no longer wait for each other."""
    Session._lock = lambda _session, _tables: None  # type: ignore[method-assign]


def read_before_lock() -> None:
    """The snapshot is older than the lock."""
    lock = Session._lock

    def late_lock(session: Session, tables: Sequence[str]) -> None:
        session.query("SELECT COUNT(*) FROM ops.loads")
        lock(session, tables)

    Session._lock = late_lock  # type: ignore[method-assign]


def commit_ledger_first() -> None:
    """The ledger says that files are staged in a transaction before that of their rows."""
    prepare, record = ledger.prepare_files, ledger.record_files

    def prepare_and_record(session: Session, dataset: str, *rest: Any) -> None:
        prepare(session, dataset, *rest)
        record(session, ())
        session.commit()

    ledger.prepare_files = prepare_and_record
    ledger.record_files = lambda *_: None


def commit_in_between() -> None:
    """Facts of the window are deleted in one transaction and come back in the next."""
    execute = Session.execute

    def execute_and_commit(session: Session, sql: str, *values: Any) -> int:
        changed = execute(session, sql, *values)
        if sql.startswith('DELETE FROM "songplays"'):
            session.commit()
        return changed

    Session.execute = execute_and_commit  # type: ignore[method-assign]


def lose_staging_delete() -> None:
    """Staging adds the window's events to those that are there."""
    WindowMode._delete = lambda *_: 0  # type: ignore[method-assign]


def lose_window_delete() -> None:
    """Facts of the window are added to those that are there."""

    def load_window(session: Session, job: LoadJob, columns: Sequence[str]) -> tuple[int, int]:
        return 0, modes._insert(session, job.table, INCOMING, columns)

    loader.MODES = {**modes.MODES, "window": load_window}


def lose_deduplication() -> None:
    """The same event twice makes two plays, and no audit looks at them."""
    execute = LoadFactOperator.execute

    def execute_without(operator: LoadFactOperator, context: Any) -> Any:
        condition = "WHERE pick = 1"
        assert condition in operator.sql
        operator.sql = operator.sql.replace(condition, "")
        operator.audits = NO_AUDITS
        return execute(operator, context)

    LoadFactOperator.execute = execute_without  # type: ignore[method-assign]


def lose_newest_wins() -> None:
    """The user as the window that was loaded last tells it."""

    def upsert(session: Session, job: LoadJob, columns: Sequence[str]) -> tuple[int, int]:
        return modes.upsert(session, replace(job, newer_by=None), columns)

    loader.MODES = {**modes.MODES, "upsert": upsert}


def lose_ledger_check() -> None:
    """Staging does not look whether other versions of its files were staged meanwhile."""
    Stager._check_ledger = lambda *_: None  # type: ignore[method-assign]


def lose_file_check() -> None:
    """Staging does not look whether its files changed while they were copied."""
    Stager._check_files = lambda *_: None  # type: ignore[method-assign]


def forget_late_windows() -> None:
    """Nobody is told of the hours that were staged again."""
    changes.record_change = lambda *_: None


def publish_late_plays_first() -> None:
    """Plays of late hours do not wait for their users and moments."""
    execute = LoadFactOperator.execute

    def execute_without(operator: LoadFactOperator, context: Any) -> Any:
        operator.follows = [replace(follow, after=()) for follow in operator.follows]
        return execute(operator, context)

    LoadFactOperator.execute = execute_without  # type: ignore[method-assign]


def stage_strays() -> None:
    """A file gives events of any day."""
    FileCopier._delete_strays = lambda *_: []  # type: ignore[method-assign]


def forget_what_is_gone() -> None:
    """The ledger keeps a file that was staged as missing."""
    WindowMode.missing_versions = lambda *_: []  # type: ignore[method-assign]


def take_changes_before_loading() -> None:
    """Changes count as taken in before the rows are there."""
    take = changes.take_changes

    def take_and_commit(session: Session, *rest: Any) -> None:
        take(session, *rest)
        session.commit()

    changes.take_changes = take_and_commit


def take_changes_without_loading() -> None:
    """Changes count as taken in, and late windows are not loaded again."""
    Loader._load_again = lambda *_: None  # type: ignore[method-assign]


def take_changes_of_any_table() -> None:
    """Tables take in what changes anywhere."""
    pending = changes.pending_changes

    def pending_anywhere(
        session: Session, target: str, followed: Mapping[str, Sequence[str]]
    ) -> dict[str, list[Change]]:
        sources = [source for (source,) in session.ask("SELECT DISTINCT source_table FROM ops.changes")]
        return {
            followed_one: [
                change
                for found in pending(session, target, dict.fromkeys(sources, after)).values()
                for change in found
            ]
            for followed_one, after in followed.items()
        }

    changes.pending_changes = pending_anywhere


def stage_rows_without_key() -> None:
    """COPY loads rows without time or key."""
    StagingJob.required_columns = property(lambda _: ())  # type: ignore[assignment, method-assign]


def forgive_strays() -> None:
    """Strays do not count among the errors that a job allows."""
    copy_file = FileCopier._copy_file

    def copy_and_forgive(copier: FileCopier, *rest: Any) -> list[RejectedRow]:
        return copy_file(replace(copier, job=replace(copier.job, keep_strays=True)), *rest)

    FileCopier._copy_file = copy_and_forgive  # type: ignore[method-assign]


MUTATIONS: dict[str, Callable[[], None]] = {
    mutation.__name__: mutation
    for mutation in (
        *(lose_lock, read_before_lock, commit_ledger_first, commit_in_between),
        *(lose_staging_delete, lose_window_delete, lose_deduplication, lose_newest_wins),
        *(lose_ledger_check, lose_file_check),
        *(forget_late_windows, publish_late_plays_first, stage_strays, forget_what_is_gone),
        *(take_changes_before_loading, take_changes_without_loading, take_changes_of_any_table),
        *(stage_rows_without_key, forgive_strays),
    )
}
