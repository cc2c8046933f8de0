"""The mirror's file: opened for many readers and one writer, private, and made anew where it is of no use."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sparkify_watch.mirror.schema import TABLES, VERSION

_BUSY_SECONDS = 5


class Store:
    """A mirror in a file.

    Readers see what was committed last, whatever a writer is doing; a writer that is killed leaves what was
    committed before (write-ahead log).

    Args:
        path: of the file; its folder is made, for its owner only, when it is missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of_airflow(cls) -> "Store":
        """Return the mirror of the web server: a file below AIRFLOW_HOME."""
        from airflow.configuration import AIRFLOW_HOME  # noqa: PLC0415 - a report needs no Airflow

        return cls(Path(AIRFLOW_HOME) / "warehouse_page" / "mirror.sqlite3")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Open the mirror and show one state of it, whatever is written meanwhile; rows are `sqlite3.Row`."""
        with self._given_up_if_damaged(), closing(self._open()) as db:
            db.execute("PRAGMA query_only = ON")
            db.execute("BEGIN")
            yield db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Change the mirror in one transaction, which is undone if the block raises."""
        with self._given_up_if_damaged(), closing(self._open()) as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")

    @contextmanager
    def _given_up_if_damaged(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if _tells_damage(error):
                self.remove()
            raise

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError as error:
            if not _tells_damage(error):
                raise
            self.remove()
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives its other files the mode of this one.
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        db = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            db.row_factory = sqlite3.Row
            # Of a new file: long tables are read in fewer pieces.
            db.execute("PRAGMA page_size = 16384")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            _prepare(db)
        except BaseException:
            db.close()
            raise
        return db

    def remove(self) -> None:
        """Remove the file and what SQLite keeps beside it."""
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                self.path.with_name(self.path.name + suffix).unlink()


def _tells_damage(error: sqlite3.DatabaseError) -> bool:
    """Tell whether a file is none of SQLite's or is damaged: all that was in it can be had again.

    Errors of statements and of locks are of classes below this one.
    """
    return type(error) is sqlite3.DatabaseError


def _prepare(db: sqlite3.Connection) -> None:
    """Make the tables in a new file, and in one of another version in place of those that it has."""
    if _version(db) == VERSION:
        return
    db.execute("BEGIN IMMEDIATE")
    # Another process may have been faster.
    if _version(db) != VERSION:
        made = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        for (name,) in made.fetchall():
            db.execute(f'DROP TABLE "{name}"')
        for statement in TABLES:
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {VERSION}")
    db.execute("COMMIT")


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])
