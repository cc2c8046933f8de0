"""The profile `celery`: two workers, and what half a switch does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compose import test_secrets
from tests.compose.docker import Docker, run
from tests.compose.stack import Stack, Tables
from tests.compose.test_stack import differing

CELERY = {"AIRFLOW_EXECUTOR": "CeleryExecutor", "COMPOSE_PROFILES": "celery"}


@pytest.fixture
def room(stack: Stack) -> Iterator[None]:
    """The other stack is stopped meanwhile: two would be slow on a small machine."""
    stack.compose("stop")
    yield
    stack.up()


def made(daemon: Docker, folder: Path, name: str, **settings: str) -> Stack:
    return Stack(daemon, folder / name, f"sparkify{name}", **settings)


RULE = """
import os, redis
broker = redis.Redis.from_url(os.environ["AIRFLOW__CELERY__BROKER_URL"])
for command in (["CONFIG", "SET", "dir", "/tmp"], ["REPLICAOF", "elsewhere", "1"], ["ACL", "LIST"]):
    try:
        print(broker.execute_command(*command))
    except redis.exceptions.NoPermissionError:
        print("not permitted")
"""


def check_what_a_worker_may(stack: Stack) -> None:
    """Assert that code in a worker makes no token for admin, sees no metadata and rules no broker."""
    assert test_secrets.answer_to_own_token(stack, "airflow-worker") == "403"
    assert test_secrets.host_named_postgres(stack, "airflow-worker") == "unknown"
    said = stack.compose("exec", "-T", "airflow-worker", "python", "-c", RULE)
    assert said.splitlines()[-3:] == ["not permitted"] * 3


@pytest.mark.long
def test_two_workers_share_the_tasks(daemon: Docker, folder: Path, room: None, expected: Tables):
    stack = made(daemon, folder, "celery", **CELERY)
    try:
        stack.up("--scale", "airflow-worker=2")
        workers = {
            one["Config"]["Hostname"]
            for name, one in stack.containers().items()
            if name.startswith("airflow-worker")
        }
        assert len(workers) == 2
        hosts: set[str] = set()
        for number in range(4):  # which worker takes a task is Celery's choice
            stack.load_month(f"celery-{number}")
            hosts |= {task["hostname"] for task in stack.tasks(f"celery-{number}")}
            assert hosts <= workers
            if hosts == workers:
                break
        assert hosts == workers
        assert differing(stack.tables(), expected) == {}
        test_secrets.check(stack)
        check_what_a_worker_may(stack)
        stack.crash("redis_1")
        stack.crash("airflow-worker_1")
        stack.load_month("after-crashes")
        assert differing(stack.tables(), expected) == {}
        stack.wait_until_healthy()
    finally:
        stack.remove()


@pytest.mark.long
def test_the_executor_without_the_profile_is_refused_and_says_what_is_missing(
    daemon: Docker, folder: Path, room: None
):
    stack = made(daemon, folder, "half", AIRFLOW_EXECUTOR="CeleryExecutor")
    try:
        stack.compose("up", "-d", check=False)
        init = stack.containers()["airflow-init_1"]["State"]
        assert (init["Status"], init["ExitCode"]) == ("exited", 1)
        assert "set COMPOSE_PROFILES=celery in .env" in stack.logs("airflow-init")
        assert "airflow-scheduler_1" not in stack.containers()
    finally:
        stack.remove()


def test_the_profile_without_the_executor_is_refused_by_the_worker(
    daemon: Docker, folder: Path, stack: Stack
):
    alone = made(daemon, folder, "profile", COMPOSE_PROFILES="celery")
    try:
        words = ["run", "--rm", "--no-deps", "-T", "-e", "CONNECTION_CHECK_MAX_COUNT=0", "airflow-worker"]
        command = ["docker-compose", "--project-name", alone.name, *words]
        done = run(command, check=False, environment=daemon.environment, cwd=alone.folder)
        assert done.returncode == 1
        assert "set it to CeleryExecutor in .env" in done.stdout + done.stderr
    finally:
        alone.remove()
