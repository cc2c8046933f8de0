"""The command line: starting, stopping and looking at a sandbox, as a user does it."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import psutil
import psycopg
import pytest

from sandbox import lifecycle, postgres, processes
from sandbox.parts import all_parts
from sandbox.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]


def command(settings: Settings, *words: str) -> list[str]:
    return [sys.executable, "-m", "sandbox", *words]


def sandbox(settings: Settings, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(settings, *words),
        cwd=REPOSITORY,
        env={**os.environ, **settings.environment(), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def settings(new_settings: Callable[[], Settings]) -> Iterator[Settings]:
    """A sandbox that is down before and after the test."""
    settings = new_settings()
    yield settings
    lifecycle.down(settings.home)
    assert running(settings) == []


@pytest.fixture
def up(settings: Settings) -> Settings:
    lifecycle.up(settings)
    return settings


def running(settings: Settings) -> list[psutil.Process]:
    return [process for part in all_parts(settings) for process in part.find()]


def main_pids(settings: Settings) -> dict[str, int]:
    return {part.name: part.find()[0].pid for part in all_parts(settings)}


def kill(family: list[psutil.Process]) -> None:
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    processes.stop(family, signal.SIGKILL)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def query(settings: Settings, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(
        host="127.0.0.1",
        port=settings.redshift_port,
        user=settings.user,
        password=settings.password,
        dbname=settings.database,
        sslmode="disable",
        autocommit=True,
    ) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


def put(settings: Settings, key: str, body: bytes) -> None:
    s3(settings).put_object(Bucket="sparkify-raw", Key=key, Body=body)


def s3(settings: Settings):
    return boto3.client(
        "s3",
        endpoint_url=settings.aws_endpoint_url,
        aws_access_key_id=settings.aws_access_key_id,
        aws_secret_access_key=settings.aws_secret_access_key,
        region_name=settings.region,
    )


# up, status, down


def test_up_says_where_things_are_and_how_to_go_on(settings: Settings):
    done = sandbox(settings, "up")

    assert (done.returncode, done.stderr) == (0, "")
    for part in (
        f"127.0.0.1:{settings.redshift_port}",
        settings.aws_endpoint_url,
        str(settings.home),
        "python -m sandbox psql",
        "python -m sandbox down",
    ):
        assert part in done.stdout
    assert settings.password not in done.stdout


def test_up_again_keeps_every_process(up: Settings):
    before = main_pids(up)

    done = sandbox(up, "up")

    assert done.returncode == 0
    assert "was up already" in done.stdout
    assert main_pids(up) == before


def test_two_ups_at_once_make_one_sandbox(settings: Settings):
    environment = {**os.environ, **settings.environment()}
    starters = [
        subprocess.Popen(
            command(settings, "up"),
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
        family = processes.find_part(name, settings.home)
        roots = [process for process in family if process.ppid() not in {other.pid for other in family}]
        assert len(roots) == 1


def test_two_sandboxes_run_side_by_side(up: Settings, new_settings: Callable[[], Settings]):
    other = new_settings()
    lifecycle.up(other)
    query(up, "CREATE TABLE only_here (id INT)")
    put(up, "only-here.json", b"{}")

    assert query(other, "SELECT 1 FROM pg_class WHERE relname = 'only_here'") == []
    assert s3(other).list_objects_v2(Bucket="sparkify-raw")["KeyCount"] == 0
    lifecycle.down(other.home)
    assert sandbox(up, "status").returncode == 0


def test_status_shows_every_part_and_tells_by_its_exit_code(settings: Settings):
    assert sandbox(settings, "status").returncode == 3
    lifecycle.up(settings)

    done = sandbox(settings, "status")

    assert done.returncode == 0
    for name, pid in main_pids(settings).items():
        line = next(line for line in done.stdout.splitlines() if line.startswith(name))
        assert str(pid) in line
        assert line.endswith("ok")
    assert str(settings.redshift_port) in done.stdout


@pytest.mark.parametrize("name", ["postgres", "aws", "redshift"])
def test_a_part_that_died_is_shown_and_started_again_alone(up: Settings, name: str):
    before = main_pids(up)
    query(up, "CREATE TABLE kept AS SELECT 7 AS id")
    put(up, "kept.json", b"{}")
    kill(next(part for part in all_parts(up) if part.name == name).find())

    seen = sandbox(up, "status")
    assert seen.returncode == 3
    assert next(line for line in seen.stdout.splitlines() if line.startswith(name)).endswith("not running")
    assert sandbox(up, "up").returncode == 0

    after = main_pids(up)
    assert after.pop(name) != before.pop(name)
    assert after == before
    assert query(up, "SELECT id FROM kept") == [(7,)]
    assert s3(up).get_object(Bucket="sparkify-raw", Key="kept.json")["Body"].read() == b"{}"


def test_up_after_everything_was_killed_finds_the_warehouse_as_it_was(up: Settings):
    query(up, "CREATE TABLE kept AS SELECT 7 AS id")
    put(up, "kept.json", b"{}")
    kill(running(up))

    assert sandbox(up, "up").returncode == 0

    assert query(up, "SELECT id FROM kept") == [(7,)]
    assert s3(up).get_object(Bucket="sparkify-raw", Key="kept.json")["Body"].read() == b"{}"


def test_down_leaves_no_process_and_no_port_and_up_finds_everything_again(up: Settings):
    query(up, "CREATE TABLE kept AS SELECT 7 AS id")
    put(up, "kept.json", b"{}")
    before = s3(up).list_objects_v2(Bucket="sparkify-raw")["Contents"]

    done = sandbox(up, "down")

    assert (done.returncode, done.stderr) == (0, "")
    assert running(up) == []
    assert is_free(up.redshift_port)
    assert is_free(up.aws_port)
    lifecycle.up(up)
    assert query(up, "SELECT id FROM kept") == [(7,)]
    assert s3(up).list_objects_v2(Bucket="sparkify-raw")["Contents"] == before


def test_down_stops_what_a_crash_has_left(up: Settings):
    kill(processes.find_part("redshift", up.home))
    processes.find_part("aws", up.home)[0].suspend()
    (up.home / "credentials.json").write_text("damaged")

    assert sandbox(up, "down", SANDBOX_AWS_PORT="nonsense").returncode == 0

    assert running(up) == []


def test_down_without_a_sandbox_makes_none(tmp_path: Path, settings: Settings):
    done = sandbox(settings, "down", SANDBOX_HOME=str(tmp_path / "none"))

    assert done.returncode == 0
    assert "No sandbox was running" in done.stdout
    assert not (tmp_path / "none").exists()


def test_down_spares_processes_that_are_not_the_sandboxs(up: Settings):
    bystander = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)", "sandbox.aws"],
        env={**os.environ, **up.environment()},
    )
    try:
        sandbox(up, "down")
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.parametrize("variable", ["SANDBOX_REDSHIFT_PORT", "SANDBOX_AWS_PORT"])
def test_a_port_in_use_is_one_error_and_leaves_nothing_running(settings: Settings, variable: str):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = sandbox(settings, "up", **{variable: port})

    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert port in done.stderr
    assert f"{variable}=" in done.stderr
    assert "Traceback" not in done.stderr
    assert running(settings) == []


def test_ending_up_before_it_is_done_leaves_nothing_running(settings: Settings):
    starter = subprocess.Popen(
        command(settings, "up"),
        cwd=REPOSITORY,
        env={**os.environ, **settings.environment()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: processes.find_part("aws", settings.home) != [])
    starter.terminate()
    _, errors = starter.communicate(timeout=60)

    assert starter.returncode == 128 + signal.SIGTERM, errors
    assert running(settings) == []


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_part_that_cannot_start_is_reported_with_its_log_and_takes_the_others_down(settings: Settings):
    (settings.home / "s3").write_text("a file where a folder should be")

    done = sandbox(settings, "up")

    assert done.returncode == 1
    assert "aws.log" in done.stderr
    assert str(settings.home / "s3") in done.stderr
    assert running(settings) == []


# settings


@pytest.mark.parametrize("port", ["x", "0", "65536", "-1", "54 39"])
def test_a_port_that_is_none_is_refused_by_name(settings: Settings, port: str):
    done = sandbox(settings, "up", SANDBOX_AWS_PORT=port)
    assert done.returncode == 1
    assert f"SANDBOX_AWS_PORT={port!r}" in done.stderr


def test_two_equal_ports_are_refused(settings: Settings):
    done = sandbox(settings, "up", SANDBOX_AWS_PORT="5000", SANDBOX_REDSHIFT_PORT="5000")
    assert done.returncode == 1
    assert "both 5000" in done.stderr


def test_damaged_credentials_are_reported_with_the_file(settings: Settings):
    (settings.home / "credentials.json").write_text("{")
    done = sandbox(settings, "up")
    assert done.returncode == 1
    assert str(settings.home / "credentials.json") in done.stderr
    assert "Traceback" not in done.stderr


def test_a_home_that_is_a_file_is_reported(settings: Settings, tmp_path: Path):
    (tmp_path / "file").touch()
    done = sandbox(settings, "up", SANDBOX_HOME=str(tmp_path / "file"))
    assert done.returncode == 1
    assert str(tmp_path / "file") in done.stderr


def test_credentials_are_private_and_made_once(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    path = settings.home / "credentials.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert settings.home.stat().st_mode & 0o077 == 0
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert Settings.load() == settings


def test_secrets_are_not_in_the_text_of_settings(settings: Settings):
    text = repr(settings)
    for secret in (settings.password, settings.admin_password, settings.aws_secret_access_key):
        assert secret not in text


# psql and logs


def test_psql_logs_in_and_passes_its_words_on(up: Settings):
    done = sandbox(up, "psql", "-At", "-c", "SELECT current_user, current_database()")
    assert (done.returncode, done.stdout) == (0, "sparkify|sparkify\n"), done.stderr


def test_psql_gives_its_exit_code(up: Settings):
    assert sandbox(up, "psql", "-c", "SELECT * FROM missing").returncode == 1


@pytest.mark.parametrize("words", [["psql", "-c", "SELECT 1"], ["load", "FOLDER"]])
def test_a_command_that_needs_the_sandbox_says_how_to_start_it(
    settings: Settings, words: list[str], tmp_path: Path
):
    (tmp_path / "a.json").write_text("{}")
    words = [str(tmp_path) if word == "FOLDER" else word for word in words]
    done = sandbox(settings, *words)
    assert done.returncode == 1
    assert "python -m sandbox up" in done.stderr
    assert "Traceback" not in done.stderr


def test_logs_shows_each_parts_log(up: Settings):
    everything = sandbox(up, "logs").stdout
    assert "ready to accept connections" in everything
    assert up.aws_endpoint_url in everything
    assert "ready to accept connections" not in sandbox(up, "logs", "aws").stdout


def test_logs_without_a_log_says_so(settings: Settings):
    done = sandbox(settings, "logs", "aws")
    assert done.returncode == 1
    assert "no log" in done.stderr


def test_logs_can_be_followed(up: Settings):
    follower = subprocess.Popen(
        command(up, "logs", "postgres", "-f"),
        cwd=REPOSITORY,
        env={**os.environ, **up.environment()},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert follower.stdout is not None
        with postgres.log_file(up).open("a") as log:
            log.write("a line from now\n")
        assert any("a line from now" in line for line in iter(follower.stdout.readline, ""))
    finally:
        os.killpg(follower.pid, signal.SIGKILL)
        follower.wait()


def test_a_short_log_is_kept_and_a_huge_one_is_put_aside(up: Settings):
    log = up.logs_dir / "aws.log"
    kill(processes.find_part("aws", up.home))
    with log.open("ab") as file:
        file.truncate(30_000_000)

    lifecycle.up(up)

    assert log.stat().st_size < 1_000_000
    assert (up.logs_dir / "aws.log.1").stat().st_size == 30_000_000


# usage


def test_help_names_every_command(settings: Settings):
    done = sandbox(settings, "--help")
    assert done.returncode == 0
    for word in ("up", "down", "status", "load", "sample", "env", "psql", "logs", "demo"):
        assert f"\n    {word} " in done.stdout


@pytest.mark.parametrize("words", [[], ["nonsense"], ["up", "--nonsense"]])
def test_wrong_usage_ends_with_two(settings: Settings, words: list[str]):
    assert sandbox(settings, *words).returncode == 2


def test_sample_writes_files_without_a_sandbox(settings: Settings, tmp_path: Path):
    words = ["sample", "--out", str(tmp_path / "data"), "--days", "1", "--events", "50", "--songs", "5"]
    done = sandbox(settings, *words)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "data").rglob("*.json"))) == 6


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_can_run_it(tmp_path: Path, settings: Settings):
    home = settings.home.parent / "theirs"
    home.mkdir()
    os.chown(home, 65534, 65534)
    for parent in (home.parent, home.parent.parent):
        parent.chmod(0o755)
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    probe = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', 'import psycopg']))"
    if subprocess.run([*as_nobody, sys.executable, "-c", probe], check=False).returncode != 0:
        pytest.skip("this Python or the repository lies in a folder that only root may enter")
    environment = {**os.environ, **settings.environment(), "SANDBOX_HOME": str(home), "HOME": "/nonexistent"}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*as_nobody, *command(settings, *words)],
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    try:
        assert run("up").returncode == 0
        assert {process.uids().effective for process in postgres.find(home)} == {65534}
        assert run("psql", "-c", "SELECT 1").returncode == 0
        assert run("down").returncode == 0
    finally:
        lifecycle.down(home)
        shutil.rmtree(home)
