"""up, status and down, from every state a sandbox can be in."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox import lifecycle
from sandbox.parts import processes
from sandbox.parts.parts import all_parts
from sandbox.parts.settings import Settings
from tests.sandbox.commands.command_line import (
    REPOSITORY,
    command,
    is_free,
    kill,
    main_pids,
    put,
    query,
    run_sandbox,
    running,
    s3,
)

pytest_plugins = ("tests.sandbox.commands.command_fixtures",)


def test_up_says_where_things_are_and_how_to_go_on(stopped: Settings):
    done = run_sandbox(stopped, "up")

    assert done.returncode == 0, done.stderr
    for part in (
        f"127.0.0.1:{stopped.redshift_port}",
        stopped.aws_endpoint_url,
        str(stopped.home),
        "python -m sandbox psql",
        "python -m sandbox down",
    ):
        assert part in done.stdout
    assert stopped.password not in done.stdout


def test_up_again_keeps_every_process(started: Settings):
    before = main_pids(started)

    done = run_sandbox(started, "up")

    assert done.returncode == 0
    assert "was up already" in done.stdout
    assert main_pids(started) == before


def test_two_ups_at_once_make_one_sandbox(stopped: Settings):
    environment = {**os.environ, **stopped.environment()}
    starters = [
        subprocess.Popen(
            command(stopped, "up"),
            cwd=REPOSITORY,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    outputs = [starter.communicate(timeout=120) for starter in starters]

    assert [starter.returncode for starter in starters] == [0, 0, 0], outputs
    assert sum("was up already" in output for output, _ in outputs) == 2
    for name in ("aws", "redshift"):
        family = processes.find_part(name, stopped.home)
        roots = [process for process in family if process.ppid() not in {other.pid for other in family}]
        assert len(roots) == 1


def test_two_sandboxes_run_side_by_side(started: Settings, new_settings: Callable[[], Settings]):
    other = new_settings()
    lifecycle.up(other)
    query(started, "CREATE TABLE only_here (id INT)")
    put(started, "only-here.json", b"{}")

    assert query(other, "SELECT 1 FROM pg_class WHERE relname = 'only_here'") == []
    assert s3(other).list_objects_v2(Bucket="sparkify-raw")["KeyCount"] == 0
    lifecycle.down(other.home)
    assert run_sandbox(started, "status").returncode == 0


def test_status_shows_every_part_and_tells_by_its_exit_code(stopped: Settings):
    assert run_sandbox(stopped, "status").returncode == 3
    lifecycle.up(stopped)

    done = run_sandbox(stopped, "status")

    assert done.returncode == 0
    for name, pid in main_pids(stopped).items():
        line = next(line for line in done.stdout.splitlines() if line.startswith(name))
        assert str(pid) in line
        assert line.endswith("ok")
    assert str(stopped.redshift_port) in done.stdout


@pytest.mark.parametrize("name", ["postgres", "aws", "redshift"])
def test_a_part_that_died_is_shown_and_started_again_alone(started: Settings, name: str):
    before = main_pids(started)
    query(started, "CREATE TABLE kept AS SELECT 7 AS id")
    put(started, "kept.json", b"{}")
    kill(next(part for part in all_parts(started) if part.name == name).find())

    seen = run_sandbox(started, "status")
    assert seen.returncode == 3
    assert next(line for line in seen.stdout.splitlines() if line.startswith(name)).endswith("not running")
    assert run_sandbox(started, "up").returncode == 0

    after = main_pids(started)
    assert after.pop(name) != before.pop(name)
    assert after == before
    assert query(started, "SELECT id FROM kept") == [(7,)]
    assert s3(started).get_object(Bucket="sparkify-raw", Key="kept.json")["Body"].read() == b"{}"


def test_up_after_everything_was_killed_finds_the_warehouse_as_it_was(started: Settings):
    query(started, "CREATE TABLE kept AS SELECT 7 AS id")
    put(started, "kept.json", b"{}")
    kill(running(started))

    assert run_sandbox(started, "up").returncode == 0

    assert query(started, "SELECT id FROM kept") == [(7,)]
    assert s3(started).get_object(Bucket="sparkify-raw", Key="kept.json")["Body"].read() == b"{}"


def test_down_leaves_no_process_and_no_port_and_up_finds_everything_again(started: Settings):
    query(started, "CREATE TABLE kept AS SELECT 7 AS id")
    put(started, "kept.json", b"{}")
    before = s3(started).list_objects_v2(Bucket="sparkify-raw")["Contents"]

    done = run_sandbox(started, "down")

    assert done.returncode == 0, done.stderr
    assert running(started) == []
    assert is_free(started.redshift_port)
    assert is_free(started.aws_port)
    lifecycle.up(started)
    assert query(started, "SELECT id FROM kept") == [(7,)]
    assert s3(started).list_objects_v2(Bucket="sparkify-raw")["Contents"] == before


def test_down_stops_what_a_crash_has_left(started: Settings):
    kill(processes.find_part("redshift", started.home))
    processes.find_part("aws", started.home)[0].suspend()
    (started.home / "credentials.json").write_text("damaged")

    assert run_sandbox(started, "down", SANDBOX_AWS_PORT="nonsense").returncode == 0

    assert running(started) == []


def test_down_without_a_sandbox_makes_none(tmp_path: Path, stopped: Settings):
    done = run_sandbox(stopped, "down", SANDBOX_HOME=str(tmp_path / "none"))

    assert done.returncode == 0
    assert "No sandbox was running" in done.stdout
    assert not (tmp_path / "none").exists()


def test_down_spares_processes_that_are_not_the_sandboxs(started: Settings):
    bystander = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)", "sandbox.aws"],
        env={**os.environ, **started.environment()},
    )
    try:
        run_sandbox(started, "down")
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.parametrize("variable", ["SANDBOX_REDSHIFT_PORT", "SANDBOX_AWS_PORT"])
def test_a_port_in_use_is_one_error_and_leaves_nothing_running(stopped: Settings, variable: str):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run_sandbox(stopped, "up", **{variable: port})

    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert port in done.stderr
    assert f"{variable}=" in done.stderr
    assert "Traceback" not in done.stderr
    assert running(stopped) == []


def test_ending_up_before_it_is_done_leaves_nothing_running(stopped: Settings):
    starter = subprocess.Popen(
        command(stopped, "up"),
        cwd=REPOSITORY,
        env={**os.environ, **stopped.environment()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: processes.find_part("aws", stopped.home) != [])
    starter.terminate()
    _, errors = starter.communicate(timeout=60)

    assert starter.returncode == 128 + signal.SIGTERM, errors
    assert running(stopped) == []


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_part_that_cannot_start_is_reported_with_its_log_and_takes_the_others_down(stopped: Settings):
    (stopped.home / "s3").write_text("a file where a folder should be")

    done = run_sandbox(stopped, "up")

    assert done.returncode == 1
    assert "aws.log" in done.stderr
    assert str(stopped.home / "s3") in done.stderr
    assert running(stopped) == []
