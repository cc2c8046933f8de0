"""An AWS API server for the tests of clusters, whose clock the test moves."""

import dataclasses
import threading
from collections.abc import Callable, Iterator

import pytest

from sandbox.parts.settings import DEFAULT_CALLER_ADDRESS, Settings
from tests.sandbox.aws.clusters import SECONDS, Time, World
from tests.sandbox.aws.faults import AwsFaults, aws_faults


@pytest.fixture(scope="module")
def role_seconds() -> float:
    """How long Redshift does not know a new role; tests that care say how long."""
    return 0


@pytest.fixture(scope="module")
def caller_address() -> str:
    """Where everybody connects from."""
    return DEFAULT_CALLER_ADDRESS


@pytest.fixture(scope="module")
def world(new_settings: Callable[[], Settings], role_seconds: float, caller_address: str) -> Iterator[World]:
    from moto.core.base_backend import BackendDict

    from sandbox.aws.clusters import course
    from sandbox.aws.connections import Server
    from sandbox.aws.handler import Handler
    from sandbox.aws.server import application

    settings = dataclasses.replace(
        new_settings(), cluster_seconds=SECONDS, role_seconds=role_seconds, caller_address=caller_address
    )
    time = Time()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(course, "time", time)
        patch.setattr("moto.iam.models.utcnow", time.utcnow)
        server = Server("127.0.0.1", settings.aws_port, application(settings), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield World(settings, time)
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            BackendDict.reset()


@pytest.fixture
def faults(world: World) -> Iterator[AwsFaults]:
    with aws_faults(world.settings) as found:
        yield found
