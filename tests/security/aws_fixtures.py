"""One AWS API server for the tests of its defences."""

from collections.abc import Callable

import pytest

from sandbox.parts.parts import Aws
from sandbox.parts.settings import Settings


@pytest.fixture(scope="session")
def aws_server(new_settings: Callable[[], Settings]) -> Aws:
    part = Aws(new_settings())
    part.start()
    part.wait()
    return part
