"""One AWS API server for the tests of its defences, and what they look at."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.parts import Aws
from sandbox.settings import Settings
from tests.sandbox.aws_fixtures import aws_bucket, aws_s3

__all__ = ["aws", "aws_bucket", "aws_s3"]


@pytest.fixture(scope="session")
def aws(new_settings: Callable[[], Settings]) -> Aws:
    part = Aws(new_settings())
    part.start()
    part.wait()
    return part


def leftovers(aws: Aws) -> list[Path]:
    """Bodies that are on their way, or have been left on it."""
    return list((aws.settings.home / "s3" / "incoming").iterdir())


def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    """Wait for a condition."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)
