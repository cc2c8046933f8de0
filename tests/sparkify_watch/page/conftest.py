"""The page within Airflow's own API server, in this process, over a mirror of each test's own."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.sparkify_watch.web_server import Person, settings


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, airflow_db: None) -> Iterator[Any]:
    """Airflow's API server; it knows the project's DAGs, and no scheduler works off what it is told."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings(tmp_path_factory.mktemp("server")).items():
            patch.setenv(name, value)
        _tell_dags()
        from airflow.api_fastapi.main import app

        yield app


def _tell_dags() -> None:
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(DagBag(str(REPOSITORY / "dags")), "dags-folder", None)


@pytest.fixture
def mirror(server: Any, tmp_path: Any) -> Iterator[Any]:
    """The mirror that the pages show; nobody refreshes it."""
    from sparkify_watch.mirror.store import Store
    from sparkify_watch.page import picture
    from sparkify_watch.page.app import app

    store = Store(tmp_path / "mirror.sqlite3")
    app.dependency_overrides[picture.store] = lambda: store
    app.dependency_overrides[picture.keeper] = _Idle
    yield store
    app.dependency_overrides.clear()


class _Idle:
    def look(self, **how: Any) -> None:
        """Look at nothing."""


@pytest.fixture
def login(server: Any, mirror: Any) -> Iterator[Callable[[str], Person]]:
    """Log people in; the runs that they have started go with the test."""
    from airflow.models.backfill import Backfill, BackfillDagRun
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import delete, update

    def clear() -> None:
        with create_session() as session:
            for model in (BackfillDagRun, DagRun, Backfill):
                session.execute(delete(model))
            session.execute(update(DagModel).values(is_paused=False))

    clear()
    yield lambda user="": Person.of(server, user)
    clear()


@pytest.fixture
def op(login: Callable[[str], Person]) -> Person:
    return login("op")


@pytest.fixture
def viewer(login: Callable[[str], Person]) -> Person:
    return login("viewer")


@pytest.fixture
def stranger(login: Callable[[str], Person]) -> Person:
    return login("")
