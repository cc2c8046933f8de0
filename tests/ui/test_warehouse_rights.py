"""Who may do what on the page Warehouse, in a browser: strangers and viewers, and pages of other sites."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from definitions import DATASETS
from tests.ui.conftest import VIEWER

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

OF_DATASET = (
    "hours",
    "loads",
    "quality",
    "files",
    "rejected",
    "answers",
    "backfills",
    "task?dag_id=a&run_id=b&task_id=c",
)
GETS = (
    *("", "cluster", "dag/sparkify_etl", "static/warehouse.css", "static/map.js", "static/airflow.js"),
    *(f"{dataset.name}/{page}" for dataset in DATASETS for page in OF_DATASET),
)
POSTS = (
    *(f"{dataset.name}/{change}" for dataset in DATASETS for change in ("load", "replay")),
    *("cluster/pause", "cluster/resume", "look"),
)
WINDOW = {"window_start": "2018-11-15T00:00", "window_end": "2018-11-15T03:00"}
# As an attacker would: it is sent as soon as the page is there.
TRAP = """<form method="post" action="{action}"><input name="window_start" value="2018-11-15T00:00">
<input name="window_end" value="2018-11-15T03:00"><input name="token" value="{token}"></form>
<script>document.forms[0].submit()</script>"""


@pytest.fixture
def viewer(open_web, airflow):
    """A page of somebody who may look."""
    with open_web(None) as web:
        web.log_in(VIEWER, airflow.passwords[VIEWER])
        web.page.wait_for_url(f"{web.url}/")
        yield web


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """A site of somebody else, on another port; its address, and the page that it shows."""
    shown = [""]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(shown[0].encode())

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://localhost:{server.server_port}/", shown
    server.shutdown()
    thread.join()
    server.server_close()


def post(web, path, **fields):
    """Send a form from a page of the same site, as a script in it would."""
    return web.page.evaluate(
        """async ([path, fields]) => {
            const body = new URLSearchParams(fields);
            return (await fetch(path, {method: "POST", body, redirect: "manual"})).status;
        }""",
        [f"/warehouse/{path}", fields],
    )


def runs(airflow):
    return airflow.request("GET", "dags/~/dagRuns?limit=1&run_type=manual")["total_entries"]


def test_a_stranger_is_refused_on_every_route(stranger, airflow):
    before = runs(airflow)
    for path in GETS:
        answer = stranger.page.goto(f"{stranger.url}/warehouse/{path}")
        assert answer.status == 401, path
    for path in POSTS:
        assert post(stranger, path, **WINDOW) == 401, path
    assert runs(airflow) == before


def test_a_viewer_reads_pages_that_offer_no_change_and_is_refused_every_one(viewer, airflow):
    before = runs(airflow)
    for path in GETS:
        answer = viewer.page.goto(f"{viewer.url}/warehouse/{path}")
        assert answer.status == 200, path
        if not path.startswith("static"):
            expect(viewer.page.locator("form[method=post]")).to_have_count(0)
    viewer.open("warehouse/sparkify/backfills")
    viewer.shoot("warehouse-viewer")
    for path in POSTS:
        assert post(viewer, path, **WINDOW) == 403, path
    assert runs(airflow) == before


def test_a_page_of_another_site_starts_nothing_also_with_a_token_that_is_good(web, airflow, elsewhere):
    web.open("warehouse/sparkify/backfills")
    token = web.page.locator("input[name=token]").first.get_attribute("value")
    address, shown = elsewhere
    shown[0] = TRAP.format(action=f"{web.url}/warehouse/sparkify/load", token=token)
    before = runs(airflow)
    with web.page.expect_response(lambda found: found.request.method == "POST") as response:
        web.page.goto(address)
    # The cookie stays away (SameSite); with it the form would be refused.
    assert response.value.status in {401, 403}
    assert runs(airflow) == before


def test_who_may_loads_a_window_and_follows_it_into_airflow_out_of_the_frame(web):
    web.open("plugin/warehouse")
    frame = web.page.frame_locator("iframe")
    frame.get_by_role("link", name="Backfills").first.click()
    for label, value in (("From (UTC)", "2018-11-15T00:00"), ("to", "2018-11-15T01:00")):
        frame.get_by_label(label, exact=True).fill(value)
    frame.get_by_role("button", name="Load", exact=True).click()
    expect(frame.get_by_role("heading", level=1)).to_have_text(re.compile("Run of|switched off"))
    box = frame.get_by_role("checkbox")
    if box.count():
        box.check()
        frame.get_by_role("button", name="Go on").click()
    expect(frame.get_by_role("heading", level=1)).to_have_text("Run of sparkify_etl")
    web.shoot("warehouse-run")
    frame.get_by_role("link", name="Graph and logs in Airflow").click()
    web.page.wait_for_url(re.compile(r"/dags/sparkify_etl/runs/window__2018-11-15T00"))
    web.wait_for_end("Success")
