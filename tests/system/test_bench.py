"""The bench runs and says what it promises; how long anything takes is not for tests to judge."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

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
    done = subprocess.run(
        [sys.executable, "-m", "bench.statements"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    hour, _ = done.stdout.split("an hour with a new song")
    statements, commits = map(int, figures(hour)["total"])
    assert statements <= 80
    assert commits <= 8


def test_an_unchanged_catalogue_takes_one_statement_and_as_much_memory_however_large_it_is():
    done = subprocess.run(
        [sys.executable, "-m", "bench.catalogue", "--files", "1000", "50000"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    few, many = (line.split() for line in done.stdout.splitlines()[-2:])
    assert (few[-2], many[-2]) == ("1", "1")
    assert float(many[-1]) < float(few[-1]) + 50


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
