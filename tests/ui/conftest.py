"""For all of this folder: one Airflow on a sandbox of its own, a source of three days, and a browser."""

import contextlib
import dataclasses
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, StorageState, ViewportSize, sync_playwright

from sandbox import lifecycle
from sandbox.airflow.airflow import USER
from sandbox.demo.sample.generate import generate
from sandbox.parts.settings import SOURCE_BUCKET, Settings
from tests.conftest import REPOSITORY
from tests.faults.reference import Reference, Row
from tests.pipeline import Source, Warehouse
from tests.sandbox.aws.client import client
from tests.sandbox.redshift.endpoint_clients import connect_redshift
from tests.system.airflow_service import AirflowService
from tests.ui.web import Web

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# As root, and in containers, there is no sandbox for Chromium; the rest keeps it from calling home.
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
WIDTH, HEIGHT = 1400, 1000
VIEWER = "viewer"
OpenWeb = Callable[[StorageState | None], AbstractContextManager[Web]]


@dataclass
class Story:
    """What the source holds and which windows the tests have loaded: what the warehouse must hold."""

    source: Source
    warehouse: Warehouse
    objects: dict[str, bytes]
    windows: list[tuple[datetime, datetime]] = field(default_factory=list)

    def put(self, key: str, body: bytes) -> None:
        self.source.put(key, body)
        self.objects[key] = body

    def check(self) -> None:
        """Assert that the warehouse holds what the source files say of the windows loaded so far."""
        expected = Reference(self.objects, self.windows).tables()
        assert self.warehouse.counts() == {table: len(rows) for table, rows in expected.items()}
        found: dict[str, list[Row]] = self.warehouse.contents()
        assert found == expected
        assert expected["songplays"]


@dataclass
class Account:
    """The sandbox as an AWS account."""

    settings: Settings

    def client(self, service: str) -> Any:
        return client(self.settings, service)


@pytest.fixture(scope="package")
def settings(new_settings: Callable[[], Settings]) -> Iterator[Settings]:
    found = dataclasses.replace(new_settings(), cluster_seconds=2)
    lifecycle.up(found)
    yield found
    lifecycle.down(found.home)


@pytest.fixture(scope="package")
def story(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("sample")
    generate(folder, start=date(2018, 11, 15), days=3, events=1_500, songs=60)
    source = Source(client(settings, "s3"), SOURCE_BUCKET)
    objects = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*_data/**/*.json")
    }
    for key, body in objects.items():
        source.put(key, body)
    connection = connect_redshift(settings)
    yield Story(source, Warehouse(connection), objects)
    connection.close()


@pytest.fixture(scope="package")
def airflow(settings: Settings, story: Story) -> Iterator[AirflowService]:
    service = AirflowService(
        settings,
        # As it is for everybody: DAGs are paused until somebody triggers them.
        AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION="True",
        AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS=f"{USER}:admin,{VIEWER}:viewer",
    )
    try:
        service.start()
        yield service
    finally:
        service.stop()


@pytest.fixture(scope="package")
def account(settings: Settings) -> Account:
    return Account(settings)


@pytest.fixture(scope="package")
def pictures() -> Path:
    """The folder that screenshots go to."""
    folder = Path(os.environ.get("SPARKIFY_SCREENSHOTS") or REPOSITORY / "build" / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is there (Debian: apt-get install chromium)")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def open_web(browser: Browser, airflow: AirflowService, pictures: Path) -> OpenWeb:
    """Open a page in a browser of its own: no test sees what another has chosen to see."""

    @contextlib.contextmanager
    def open_page(state: StorageState | None) -> Iterator[Web]:
        size: ViewportSize = {"width": WIDTH, "height": HEIGHT}
        context = browser.new_context(viewport=size, timezone_id="UTC", storage_state=state)
        try:
            yield Web(context.new_page(), airflow.url, pictures)
        finally:
            context.close()

    return open_page


@pytest.fixture
def stranger(open_web: OpenWeb) -> Iterator[Web]:
    """A page of somebody who has not logged in."""
    with open_web(None) as web:
        yield web


@pytest.fixture(scope="package")
def login(open_web: OpenWeb, airflow: AirflowService) -> StorageState:
    """What a browser keeps after a login."""
    with open_web(None) as web:
        web.log_in(airflow.user, airflow.password)
        web.page.wait_for_url(f"{web.url}/")
        return web.page.context.storage_state()


@pytest.fixture
def web(open_web: OpenWeb, login: StorageState) -> Iterator[Web]:
    """A page of somebody who has logged in."""
    with open_web(login) as web:
        yield web


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Keep what the page showed when a test failed, and say where."""
    report = (yield).get_result()
    arguments = getattr(item, "funcargs", {})
    web = arguments.get("web") or arguments.get("stranger")
    if report.when == "call" and report.failed and web is not None:
        report.sections.append(("the page", _keep(web, item.name)))


def _keep(web: Web, test: str) -> str:
    name = re.sub(r"\W+", "-", f"failed {test}").strip("-")
    picture, text = (web.pictures / f"{name}.{kind}" for kind in ("png", "txt"))
    try:
        web.page.screenshot(path=picture, timeout=10_000)
        text.write_text(f"{web.page.url}\n{web.page.inner_text('body', timeout=10_000)}\n")
    except Error as error:
        return f"{web.page.url}: no picture could be taken: {error}"
    return f"{web.page.url}\npicture: {picture}\ntext: {text}"
