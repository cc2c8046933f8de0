"""Docker, the images and one stack, for all tests of this folder."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.demo.sample import generate
from tests.compose import docker, standins
from tests.compose.docker import Docker
from tests.compose.stack import Stack
from tests.faults.reference import Reference, documents
from tests.faults.runs import moments


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs containers; the first test also builds the images."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.compose)
            item.add_marker(pytest.mark.timeout(2400))


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(
        prefix="sparkify-compose-", dir="/var/tmp", ignore_cleanup_errors=True
    ) as made:
        yield Path(made)


@pytest.fixture(scope="session")
def daemon(folder: Path) -> Iterator[Docker]:
    if why := docker.missing():
        pytest.skip(why)
    with docker.daemon(folder) as found:
        standins.make(found, folder / "standins")
        yield found


@pytest.fixture(scope="session")
def stack(daemon: Docker, folder: Path) -> Iterator[Stack]:
    """Everything built and up."""
    made = Stack(daemon, folder / "project", "sparkifytest")
    try:
        made.compose("build")
        made.up()
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="session")
def expected(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """The tables that the sample's month must give, worked out in plain Python."""
    sample = folder / "sample"
    generate(sample)
    events = {
        path.relative_to(sample).as_posix(): path.read_bytes() for path in sample.glob("log_data/**/*.json")
    }
    songs = {
        path.relative_to(sample).as_posix(): _as_text(path) for path in sample.glob("song_data/**/*.json")
    }
    return Reference({**events, **songs}, [moments("2018-11-01", "2018-12-01")]).tables()


def _as_text(path: Path) -> bytes:
    """A song file whose place is text: some give a number, which COPY writes into VARCHAR as it stands."""
    songs = documents(path.read_bytes())
    for song in songs:
        if song["artist_location"] is not None:
            song["artist_location"] = str(song["artist_location"])
    return "\n".join(json.dumps(song) for song in songs).encode()
