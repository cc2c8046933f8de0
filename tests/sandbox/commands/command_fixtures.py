"""Sandboxes of a test's own."""

from collections.abc import Callable, Iterator

import pytest

from sandbox import lifecycle
from sandbox.parts.settings import Settings
from tests.sandbox.commands.command_line import running


@pytest.fixture
def stopped(new_settings: Callable[[], Settings]) -> Iterator[Settings]:
    """A sandbox that is down before and after the test."""
    stopped = new_settings()
    yield stopped
    lifecycle.down(stopped.home)
    assert running(stopped) == []


@pytest.fixture
def started(stopped: Settings) -> Settings:
    lifecycle.up(stopped)
    return stopped
