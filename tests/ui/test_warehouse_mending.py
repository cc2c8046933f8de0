"""From a broken file to the mended hour, on the page Warehouse: read why, correct the row, replay it once."""

import json
import re
from datetime import datetime, timedelta
from urllib.parse import unquote

import pytest
from playwright.sync_api import expect

from tests.records import event

pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]

HOUR = datetime(2018, 12, 10, 7)
KEY = "log_data/2018/12/2018-12-10-events.json"


def go_on(page):
    """Switch the DAG on where it is off, and go on to the page of the run."""
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Run of|switched off"))
    box = page.get_by_role("checkbox", name="Switch on")
    if box.count():
        box.check()
        page.get_by_role("button", name="Go on").click()
    expect(page).to_have_url(re.compile("/warehouse/run/"))


def wait_for_end(web, airflow, state):
    """Wait until the run that the page shows has ended, and look again."""
    dag_id, run_id = (unquote(part) for part in web.page.url.rsplit("/", 2)[1:])
    assert airflow.ended(dag_id, run_id).state == state
    web.page.reload()
    expect(web.page.get_by_role("status").first).to_contain_text(f"is {state}")


def wait_for_rejected(web, airflow, *, shown):
    """Wait until the page has the rows of the file, or no longer: it is renewed behind who looks."""

    def look():
        web.open(f"warehouse/sparkify/rejected?q={KEY}")
        return (web.page.locator("tr").filter(has_text=KEY).count() > 0) == shown

    airflow.wait_until(look, f"rows of {KEY} are {'shown' if shown else 'gone'}")


def test_a_broken_file_is_read_about_corrected_and_replayed_exactly_once(web, story, airflow):
    plays = [event(f"{HOUR:%Y-%m-%dT%H}:{n:02}:00", sessionId=7000 + n) for n in range(3)]
    broken = [plays[0], {**plays[1], "sessionId": "seven"}, plays[2]]
    story.put(KEY, "".join(json.dumps(play) + "\n" for play in broken).encode())
    page = web.page

    web.open("warehouse/sparkify/backfills")
    page.get_by_label("From (UTC)").fill(f"{HOUR:%Y-%m-%dT%H:%M}")
    page.get_by_label("to", exact=True).fill(f"{HOUR + timedelta(hours=1):%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Load", exact=True).click()
    go_on(page)
    wait_for_end(web, airflow, "failed")

    wait_for_rejected(web, airflow, shown=True)
    found = page.locator("tr").filter(has_text=KEY)
    for words in ("2", "session_id", "seven"):
        expect(found.first).to_contain_text(words)
    expect(page.get_by_text("it failed because of these rows").first).to_be_visible()
    web.shoot("warehouse-rejected")

    page.get_by_text("Replay the rows of this load").first.click()
    draft = page.get_by_label("Or correct rows here").first
    [row] = [json.loads(line) for line in draft.input_value().splitlines()]
    assert (row["line"], row["row"]["sessionId"]) == (2, "seven")
    row["row"]["sessionId"] = plays[1]["sessionId"]
    draft.fill(json.dumps(row))
    web.shoot("warehouse-correct")
    page.get_by_role("button", name="Write them into their files").first.click()
    go_on(page)
    wait_for_end(web, airflow, "success")

    found = story.source.s3.get_object(Bucket=story.source.bucket, Key=KEY)
    story.objects[KEY] = found["Body"].read()
    assert [json.loads(line) for line in story.objects[KEY].splitlines()] == plays
    story.windows.append((HOUR, HOUR + timedelta(hours=1)))
    story.check()
    wait_for_rejected(web, airflow, shown=False)
