"""The database server itself dies while runs commit, in a sandbox of the test's own."""

import contextlib
import signal
from collections.abc import Iterator
from typing import Any

import boto3
import psutil
import pytest

from sandbox import lifecycle
from sandbox.parts import environment, postgres
from sandbox.parts.settings import WORK_BUCKET, Settings
from tests.faults.child import TASKS
from tests.faults.conftest import administrate, connect, new_world
from tests.faults.runs import Runner
from tests.faults.story import DAY, WINDOW, put_version
from tests.faults.world import World, drop_tables
from tests.pipeline import Source, Warehouse


@pytest.fixture(scope="module")
def private(new_settings: Any) -> Settings:
    settings: Settings = new_settings()
    lifecycle.up(settings)
    return settings


@pytest.fixture
def private_world(private: Settings, request: pytest.FixtureRequest) -> Iterator[World]:
    s3 = boto3.client(
        "s3",
        endpoint_url=private.aws_endpoint_url,
        aws_access_key_id=private.aws_access_key_id,
        aws_secret_access_key=private.aws_secret_access_key,
        region_name=private.region,
    )
    bucket = f"source-{abs(hash(request.node.name)):x}"
    s3.create_bucket(Bucket=bucket)
    variables = environment.variables(private)
    runner = Runner(
        {
            name: variables[name]
            for name in variables
            if name.startswith(("AIRFLOW_CONN", "AWS_", "SSL_CERT_FILE"))
        }
    )
    runner.environment |= {
        "AIRFLOW_VAR_SPARKIFY_SOURCE_BUCKET": bucket,
        "AIRFLOW_VAR_SPARKIFY_WORK_BUCKET": WORK_BUCKET,
        "AIRFLOW_VAR_SPARKIFY_REGION": private.region,
    }
    with administrate(private) as admin:
        warehouse = Warehouse(connect(private))
        warehouse.connection.autocommit = False
        drop_tables(warehouse)
        with new_world(warehouse, Source(s3, bucket), runner, admin, private) as found:
            yield found
    runner.close()


@pytest.mark.parametrize("task", ["stage_events", "load_songplays"])
def test_a_server_that_dies_before_a_commit_costs_one_more_try(private_world, private, task):
    world = private_world
    put_version(world, 0)
    world.run(DAY)
    put_version(world, 1)
    run = world.start(WINDOW, pause=(f"{task} before PUBLISH 1",))
    run.wait_at(f"{task} before PUBLISH 1")
    kill_and_restart(private)
    world.warehouse.connection = connect(private)
    run.go()
    run.finish()
    world.check()


@pytest.mark.long
@pytest.mark.parametrize("task", TASKS)
def test_a_commit_that_the_server_does_not_survive_is_all_or_nothing(private_world, private, task):
    world = private_world
    put_version(world, 0)
    world.run(DAY)
    put_version(world, 1)
    run = world.start(WINDOW, pause=(f"{task} before PUBLISH 1",))
    run.wait_at(f"{task} before PUBLISH 1")
    run.go()
    kill_and_restart(private)
    run.kill()
    world.warehouse.connection = connect(private)
    world.run(WINDOW)
    world.check()


def kill_and_restart(settings: Settings) -> None:
    for process in postgres.find(settings.home):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    lifecycle.up(settings)
