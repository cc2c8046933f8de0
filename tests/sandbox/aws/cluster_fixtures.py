"""An AWS API server for the tests of clusters, whose clock the test moves."""

import dataclasses
import threading
from collections.abc import Callable, Iterator

import pytest

from sandbox.parts.settings import Settings
from tests.sandbox.aws.clusters import SECONDS, Time, World
from tests.sandbox.aws.faults import AwsFaults, aws_faults


@pytest.fixture(scope="module")
def world(new_settings: Callable[[], Settings]) -> Iterator[World]:
    from moto.core.base_backend import BackendDict

    from sandbox.aws.clusters import course
    from sandbox.aws.connections import Server
    from sandbox.aws.handler import Handler
    from sandbox.aws.server import application

    settings = dataclasses.replace(new_settings(), cluster_seconds=SECONDS)
    time = Time()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(course, "time", time)
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
