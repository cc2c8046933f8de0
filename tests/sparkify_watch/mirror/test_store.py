"""The mirror's file: private, whole whatever is killed, and made anew where it is of no use."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap

import pytest

from sparkify_watch.mirror import schema
from sparkify_watch.mirror.store import Store
from tests.conftest import REPOSITORY

WRITER = """
import sys
from pathlib import Path
from sparkify_watch.mirror.store import Store

store = Store(Path(sys.argv[1]))
for number in range(1_000_000):
    with store.writing() as db:
        db.execute("DELETE FROM tables")
        rows = [(str(n), number) for n in range(50)]
        db.executemany("INSERT INTO tables (name, row_count) VALUES (?, ?)", rows)
        if number == 3:
            print("writes", flush=True)
"""


def put(store, name="songplays", rows=1):
    with store.writing() as db:
        db.execute("INSERT INTO tables (name, row_count) VALUES (?, ?)", (name, rows))


def names(store):
    with store.reading() as db:
        return [row["name"] for row in db.execute("SELECT name FROM tables ORDER BY name")]


def test_nobody_else_can_read_it_whatever_the_umask(store):
    before = os.umask(0)
    try:
        put(store)
        with store.reading():
            files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in store.path.parent.iterdir()}
    finally:
        os.umask(before)
    assert files == dict.fromkeys(("mirror.sqlite3", "mirror.sqlite3-wal", "mirror.sqlite3-shm"), 0o600)
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700


def test_what_raises_leaves_nothing(store):
    put(store, "kept")
    with pytest.raises(sqlite3.IntegrityError), store.writing() as db:
        db.executemany("INSERT INTO tables (name) VALUES (?)", [("lost",), ("kept",)])
    assert names(store) == ["kept"]


def test_a_reader_sees_one_state_and_waits_for_no_writer(store):
    put(store, "a")
    with store.reading() as reader:
        assert len(reader.execute("SELECT * FROM tables").fetchall()) == 1
        with store.writing() as db:
            db.execute("INSERT INTO tables (name) VALUES ('b')")
            assert names(store) == ["a"]
        assert len(reader.execute("SELECT * FROM tables").fetchall()) == 1
    assert names(store) == ["a", "b"]


def test_a_reader_changes_nothing(store):
    put(store)
    with store.reading() as db, pytest.raises(sqlite3.OperationalError, match="readonly"):
        db.execute("DELETE FROM tables")


def test_a_writer_that_is_killed_leaves_what_it_had_committed(store):
    store.path.parent.mkdir()
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(store.path)]
    path = os.pathsep.join(str(REPOSITORY / name) for name in ("dags", "plugins"))
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == b"writes\n"
        writer.send_signal(signal.SIGKILL)
    with store.reading() as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        rows = db.execute("SELECT row_count, COUNT(*) FROM tables GROUP BY row_count").fetchall()
    [(number, count)] = [tuple(row) for row in rows]
    assert number >= 2
    assert count == 50
    put(store, "goes on")


def test_a_file_of_another_version_is_made_anew(store, monkeypatch):
    put(store)
    with store.writing() as db:
        db.execute("CREATE TABLE of_before (x)")
    monkeypatch.setattr("sparkify_watch.mirror.store.VERSION", schema.VERSION + 1)
    assert names(store) == []
    put(store, "new")
    assert names(Store(store.path)) == ["new"]
    with store.reading() as db:
        assert not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'of_before'").fetchone()


@pytest.mark.parametrize("damage", [b"no database at all, but long enough for one" * 100, b""])
def test_a_damaged_file_is_made_anew(store, damage):
    put(store)
    store.remove()
    store.path.write_bytes(damage)
    assert names(store) == []
    put(store, "new")
    assert names(store) == ["new"]


def test_pages_that_are_damaged_inside_are_made_anew_by_the_next_who_opens_it(store):
    with store.writing() as db:
        db.executemany("INSERT INTO tables (name) VALUES (?)", [("x" * 200 + str(n),) for n in range(2000)])
    with sqlite3.connect(store.path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    content = bytearray(store.path.read_bytes())
    half = len(content) // 2
    content[half:] = os.urandom(len(content) - half)
    store.path.write_bytes(content)
    with pytest.raises(sqlite3.DatabaseError):
        names(store)
    assert names(store) == []
