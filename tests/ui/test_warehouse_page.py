"""The page Warehouse as people use it: the map fills, hours are picked and loaded, everybody can read it."""

import contextlib
import json
import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from definitions import DATASETS
from tests.records import event
from tests.sandbox.redshift.endpoint_clients import wait_until
from tests.ui.conftest import HEIGHT, WIDTH
from tests.ui.web import RUN_MS, Web

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]
START, END = "Start of the window", "End of the window"
MONTH, NEXT_MONTH = datetime(2018, 11, 1), datetime(2018, 12, 1)
HOUR = timedelta(hours=1)
OF_DATASET = ("hours", "hours?year=2018", "loads", "quality", "files", "rejected", "answers", "backfills")
PAGES = (
    *("", "cluster", "dag/sparkify_etl", "dag/warehouse_reset"),
    "sparkify/hours?month=2018-11&start=2018-11-15T03:00&end=2018-11-15T06:00",
    *(f"{dataset.name}/{page}" for dataset in DATASETS for page in OF_DATASET),
)


def square(page: Page, moment: datetime) -> Locator:
    return page.locator(f'.map a[data-start="{moment:%Y-%m-%dT%H:%M}"]')


def squares(page: Page, state: str) -> Locator:
    return page.locator(f".map .state-{state}")


def open_map(web: Web, month: datetime) -> Page:
    web.open(f"warehouse/sparkify/hours?month={month:%Y-%m}")
    expect(web.page.locator(".map .square")).to_have_count(24 * monthrange(month.year, month.month)[1])
    return web.page


@contextlib.contextmanager
def browsing(browser: Browser, login, **given) -> Iterator[Page]:
    """A page of somebody who has logged in, in a browser that is as given."""
    context = browser.new_context(storage_state=login, **given)
    try:
        yield context.new_page()
    finally:
        context.close()


def test_the_map_fills_while_a_month_is_loaded(web, story, open_web, login):
    with open_web(login) as other:
        page = open_map(other, MONTH)
        empty = squares(page, "missing").count()
        assert empty >= 27 * 24
        run_id = web.trigger("sparkify_etl", **{START: MONTH, END: NEXT_MONTH})
        # Nobody loads this page anew.
        expect(squares(page, "missing")).to_have_count(0, timeout=RUN_MS)
        expect(squares(page, "loaded")).to_have_count(3 * 24, timeout=RUN_MS)
        expect(squares(page, "no-source")).to_have_count(27 * 24)
        expect(page.locator(".told")).to_contain_text("648 no source, 72 loaded")
        story.windows.append((MONTH, NEXT_MONTH))
        web.open_run("sparkify_etl", run_id)
        web.wait_for_end("Success")
        story.check()
        other.fit(height=1290)
        other.shoot("warehouse-map")


def test_three_missing_hours_are_picked_on_the_map_and_loaded(web, story):
    first = datetime(2019, 1, 1, 5)
    plays = [event(f"{first + n * HOUR:%Y-%m-%dT%H}:30:00", sessionId=9000 + n) for n in range(3)]
    key = "log_data/2019/01/2019-01-01-events.json"
    story.put(key, "".join(json.dumps(play) + "\n" for play in plays).encode())
    page = open_map(web, datetime(2019, 1, 1))
    expect(squares(page, "missing")).to_have_count(31 * 24)
    square(page, first).click()
    expect(
        page.get_by_role("heading", name="Picked: 2019-01-01 05:00 to 2019-01-01 06:00 UTC")
    ).to_be_visible()
    square(page, first + 2 * HOUR).click()
    expect(
        page.get_by_role("heading", name="Picked: 2019-01-01 05:00 to 2019-01-01 08:00 UTC")
    ).to_be_visible()
    expect(page.get_by_text("3 hours: 3 missing.")).to_be_visible()
    web.fit(height=760)
    web.shoot("warehouse-pick")
    page.get_by_role("button", name="Load 3 hours").click()
    switch = page.get_by_role("checkbox")
    if switch.count():
        switch.check()
        page.get_by_role("button", name="Go on").click()
    expect(page).to_have_url(re.compile("/warehouse/run/sparkify_etl/"))
    open_map(web, first)
    expect(squares(page, "loaded")).to_have_count(3, timeout=RUN_MS)
    for n in range(3):
        expect(square(page, first + n * HOUR)).to_have_class(re.compile("state-loaded"))
    expect(squares(page, "missing")).to_have_count(31 * 24 - 3)
    story.windows.append((first, first + 3 * HOUR))
    story.check()


def test_a_range_is_picked_by_keys_by_dragging_and_without_script(web, browser, login):
    page = open_map(web, MONTH)
    square(page, MONTH).focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    picked = page.get_by_role("heading", name="Picked:")
    expect(picked).to_have_text("Picked: 2018-11-02 02:00 to 2018-11-02 03:00 UTC")
    expect(square(page, MONTH + 26 * HOUR)).to_have_attribute("tabindex", "0")
    page.get_by_role("link", name="Pick nothing").click()
    expect(picked).to_have_count(0)

    square(page, MONTH + 30 * HOUR).hover()
    page.mouse.down()
    square(page, MONTH + 27 * HOUR).hover()
    page.mouse.up()
    expect(picked).to_have_text("Picked: 2018-11-02 03:00 to 2018-11-02 07:00 UTC")

    with browsing(browser, login, java_script_enabled=False) as plain:
        plain.goto(f"{web.url}/warehouse/sparkify/hours?month=2018-11")
        square(plain, MONTH + 3 * HOUR).click()
        square(plain, MONTH).click()
        expect(plain.get_by_role("heading", name="Picked:")).to_have_text(
            "Picked: 2018-11-01 00:00 to 2018-11-01 04:00 UTC"
        )
        expect(plain.get_by_role("button", name="Load 4 hours")).to_be_visible()


def test_a_day_of_the_year_leads_to_its_hours(web):
    web.open("warehouse/sparkify/hours?year=2018")
    square(web.page, datetime(2018, 11, 15)).click()
    expect(web.page.locator(".told")).to_contain_text("Hours of November 2018")
    expect(square(web.page, datetime(2018, 11, 15, 9))).to_be_in_viewport()


def test_the_analysts_questions_are_answered_with_charts(web, story):
    [(hours,)] = story.warehouse.query("SELECT COUNT(DISTINCT DATE_PART(hour, start_time)) FROM songplays")
    section = web.page.locator("section").filter(has_text="At which hours of the day")

    def is_answered() -> bool:
        web.open("warehouse/sparkify/answers")
        return section.locator("tbody tr").count() == hours

    wait_until(is_answered, seconds=120)
    expect(section.locator("svg rect")).to_have_count(hours)
    web.fit(height=1240)
    web.shoot("warehouse-answers")


def test_the_page_stands_in_the_navigation_and_beside_its_dag(web):
    web.open("plugin/warehouse")
    frame = web.page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Overview")).to_be_visible()
    web.open("dags/sparkify_etl")
    web.page.get_by_role("link", name="Warehouse").last.click()
    expect(web.page.frame_locator("iframe").get_by_role("heading", level=1)).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDTH, 375], ids=["wide", "phone"])
def test_everybody_can_read_every_page(browser, airflow, login, scheme, width):
    with browsing(
        browser, login, color_scheme=scheme, viewport={"width": width, "height": HEIGHT}, bypass_csp=True
    ) as page:
        for path in PAGES:
            answer = page.goto(f"{airflow.url}/warehouse/{path}")
            assert answer, path
            assert answer.status == 200, path
            assert faults(page) == [], f"{path}, {scheme}"
            # Wide tables scroll by themselves, never the page.
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def faults(page: Page) -> list[str]:
    """What hinders somebody seriously, as axe-core finds it."""
    found = Axe().run(page).response["violations"]
    return [
        f"{fault['id']}: {fault['nodes'][0]['html']}"
        for fault in found
        if fault["impact"] in {"serious", "critical"}
    ]
