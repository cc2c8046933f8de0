"""The bench runs and says what it promises; how long anything takes is not for tests to judge."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import psutil
import psycopg
import pytest

from sandbox.parts import postgres
from tests.conftest import REPOSITORY

TASKS = (
    *("create_tables", "stage_events", "stage_songs", "load_users", "load_artists", "load_songs"),
    *("load_time", "load_songplays", "check_quality", "total"),
)
COMMAND = [sys.executable, "-m", "bench", "--facts", "300", "3_000"]
SMALL = ["--songs", "80", "--events", "300", "--hours", "1"]


@pytest.fixture(scope="module")
def folder():
    """Where the bench keeps its sandbox while it runs; a unix socket's path must be short."""
    with tempfile.TemporaryDirectory(dir="/tmp") as path:
        yield Path(path)


@pytest.fixture(scope="module")
def output(folder):
    environment = {**os.environ, "TMPDIR": str(folder)}
    done = subprocess.run(
        [*COMMAND, *SMALL], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_alone(module, *words):
    """Run a bench in a sandbox of its own, whatever sandbox the session has."""
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=REPOSITORY,
        env={name: value for name, value in os.environ.items() if name != "AIRFLOW_CONN_REDSHIFT_DEFAULT"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def figures(text):
    """The columns of each task in one table."""
    rows = [line.split() for line in text.splitlines()]
    return {row[0]: row[1:] for row in rows if row and row[0] in TASKS}


def processes_of(folder):
    found = []
    for process in psutil.process_iter(["cwd", "cmdline", "environ"]):
        environ = process.info["environ"] or {}
        if environ.get("SANDBOX_HOME", "").startswith(str(folder)):
            found.append(process.info["cmdline"])
    return found


def test_every_task_has_its_figures_for_every_size_with_and_without_a_new_song(output):
    ordinary, new_song = output.split("An hour in which one new song arrives")
    for table in (figures(ordinary), figures(new_song)):
        assert set(table) == set(TASKS)
        assert all(len(row) == 2 * 3 + 1 for row in table.values())


def test_an_hourly_run_sends_as_many_statements_whatever_history_there_is(output):
    ordinary, new_song = output.split("An hour in which one new song arrives")
    for table in (figures(ordinary), figures(new_song)):
        few, many = ({task: row[n] for task, row in table.items()} for n in (0, 3))
        assert many == few


def test_a_new_song_reaches_the_plays_only_in_the_hour_in_which_it_arrives(output):
    ordinary, new_song = output.split("An hour in which one new song arrives")
    without, with_song = (int(figures(table)["load_songplays"][0]) for table in (ordinary, new_song))
    # Names are looked up, plays found, the change taken, plays updated and kept under their song.
    assert with_song == without + 13


def test_an_hour_takes_at_most_eighty_statements_and_eight_commits_that_write():
    done = run_alone("bench.statements")
    hour, _ = done.stdout.split("an hour with a new song")
    statements, commits = map(int, figures(hour)["total"])
    assert statements <= 80
    assert commits <= 8


@pytest.mark.long
def test_a_hundred_checks_are_measured_together_and_each_by_itself():
    done = subprocess.run(
        [sys.executable, "-m", "bench.checks", "2000"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines() if line]
    assert lines[0][:4] == ["100", "checks", "of", "2,000"]
    together, one_by_one = float(lines[1][-1]), float(lines[2][-1])
    assert 0 < together < one_by_one
    assert lines[-1][:-1] == ["together", "/", "slowest", "alone"]


def test_an_unchanged_catalogue_takes_one_statement_and_as_much_memory_however_large_it_is():
    done = run_alone("bench.catalogue", "--files", "1000", "50000")
    few, many = (line.split() for line in done.stdout.splitlines()[-2:])
    assert (few[-2], many[-2]) == ("1", "1")
    assert float(many[-1]) < float(few[-1]) + 50


@pytest.fixture
def read_table(sandbox):
    """A table that the dashboard's user may read, and both are gone afterwards."""
    from bench import dashboard

    with psycopg.connect(postgres.admin_dsn(sandbox), autocommit=True) as connection:
        connection.execute("CREATE TABLE read_table (number INTEGER)")
        dashboard.make_user(sandbox, ["read_table"])
        yield "read_table"
        connection.execute("DROP TABLE read_table")
        connection.execute(f"DROP ROLE {dashboard.USER}")


def test_what_a_reader_waits_for_a_lock_is_told_and_nothing_else(sandbox, read_table):
    from bench import dashboard

    question = f"SELECT COUNT(*) FROM {read_table}"
    reader = dashboard.Reader(sandbox, [question], 0, threading.Event())
    reader.ask(question)
    with psycopg.connect(postgres.admin_dsn(sandbox)) as blocker:
        blocker.execute(f"LOCK TABLE {read_table} IN ACCESS EXCLUSIVE MODE")
        asked = threading.Thread(target=reader.ask, args=[question])
        asked.start()
        with psycopg.connect(postgres.admin_dsn(sandbox), autocommit=True) as watcher:
            while watcher.execute("SELECT COUNT(*) FROM pg_locks WHERE NOT granted").fetchone() != (1,):
                pass
            watcher.execute("SELECT PG_SLEEP(0.1)")
    asked.join()
    reader.ask(question)
    reader.close()
    assert len(reader.seen.statements) == 3
    [wait] = reader.seen.waits
    assert 100 <= wait <= reader.seen.statements[1]


@pytest.mark.long
def test_a_dashboard_waits_for_no_load():
    done = run_alone("bench.readers", "--readers", "6", "--rounds", "1", "--seconds", "5", "--events", "3000")
    rows = {line[:36].strip(): line[36:].split() for line in done.stdout.splitlines() if line[36:]}
    assert int(rows["loads"][0]) == 0
    assert int(rows["loads"][1]) > 0
    assert min(map(int, rows["statements"])) >= 12
    assert rows["over 50 ms"] == ["0", "0"]


@pytest.mark.long
def test_copy_is_compared_with_its_peers():
    words = ["--events", "3000", "--songs", "30", "--rows", "500", "--rounds", "1", "--no-dlt"]
    done = run_alone("bench.copying", *words)
    head, _, rest = done.stdout.partition("\n\n")
    assert head.startswith("3,000 events in 1 MB, 30 song files")
    rows = {line[:42].strip(): line[42:].split() for line in rest.splitlines() if line}
    assert all(float(words[0].replace(",", "")) > 0 for name, words in rows.items() if "dlt" not in name)
    assert rows["COPY ÷ dlt filesystem → postgres"] == ["left", "out"]
    assert {"COPY ÷ ready CSV, bare table", "one-song files a second", "memory of the endpoint, MB"} <= set(
        rows
    )


def test_nothing_of_the_bench_remains(output, folder):
    assert list(folder.iterdir()) == []
    assert processes_of(folder) == []


def test_nothing_of_the_bench_remains_when_it_is_interrupted(output, folder):
    environment = {**os.environ, "TMPDIR": str(folder)}
    with subprocess.Popen(
        COMMAND, cwd=REPOSITORY, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        said = []
        while not (said and said[-1].startswith("Making")):
            said.append(process.stderr.readline())
            assert said[-1], said
        os.killpg(process.pid, signal.SIGINT)  # as a terminal's Ctrl-C
        assert process.stderr.read() == "Interrupted.\n"
    assert process.returncode == 130
    assert list(folder.iterdir()) == []
    assert processes_of(folder) == []


@pytest.mark.parametrize(
    "words", [["--facts", "0"], ["--facts", "20", "10"], ["--hours", "8"], ["--songs", "-1"]]
)
def test_what_cannot_be_measured_is_refused_before_anything_starts(words, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words],
        cwd=REPOSITORY,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "error: " in done.stderr
    assert list(tmp_path.iterdir()) == []
