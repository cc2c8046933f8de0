"""What a data engineer does later in the web UI: backfill, clear, mend, make and remove a cluster."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from definitions import DATASETS
from tests.conftest import REPOSITORY
from tests.sparkify.cluster.steps import what_is_there

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]
START, END = "Start of the window", "End of the window"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_six_hours_are_backfilled_and_one_that_is_cleared_ends_in_the_same_tables(web, story):
    first = datetime(2018, 11, 16, 8)
    # Both ends are included, and each is the beginning of an hour.
    web.trigger_form("sparkify_etl").backfill(first, first + 5 * HOUR, runs=6)
    story.windows.append((first, first + 6 * HOUR))
    web.page.get_by_role("link", name="Runs", exact=True).click()
    runs = [f"backfill__{first + n * HOUR:%Y-%m-%dT%H}:00:00+00:00" for n in range(1, 7)]
    for run_id in runs:
        web.wait_for_listed(run_id, "Success")
    web.shoot("backfill")
    story.check()

    web.open_run("sparkify_etl", runs[2])
    web.open_task("stage_events")
    web.clear()
    web.open_run("sparkify_etl", runs[2])
    web.wait_for_end("Success")
    for task_id, tries in {"stage_songs": 1, "stage_events": 2, "load_songplays": 2}.items():
        web.task_is(task_id, "Success", tries)
    story.check()


def test_a_broken_source_file_is_named_with_line_and_column_mended_and_cleared(web, story):
    day = datetime(2018, 11, 17)
    key = "log_data/2018/11/2018-11-17-events.json"
    whole = story.objects[key]
    lines = whole.splitlines(keepends=True)
    broken = json.dumps({**json.loads(lines[6]), "sessionId": "seven"}).encode() + b"\n"
    story.put(key, b"".join([*lines[:6], broken, *lines[7:]]))

    run_id = web.trigger("sparkify_etl", **{START: day, END: day + DAY})
    web.wait_for_end("Failed")
    web.open_task("stage_events")
    web.log_says(f"s3://{story.source.bucket}/{key}", "line 7", "column session_id", "seven")
    web.make_readable()
    web.fit(height=640)
    web.shoot("broken-file")

    story.put(key, whole)
    web.clear()
    web.open_run("sparkify_etl", run_id)
    web.wait_for_end("Success")
    story.windows.append((day, day + DAY))
    story.check()


def test_a_cluster_is_provisioned_and_torn_down_from_the_form(web, account):
    before = what_is_there(account)
    web.trigger("redshift_cluster", **{"Action": "provision", "Hours to live": 2})
    web.wait_for_end("Success")
    assert what_is_there(account)["clusters"] == ["sparkify"]
    web.open_task("provision.make_cluster")
    # Only the triggerer lets a task go on that waits.
    web.log_says("The cluster sparkify is creating. Waiting.", "The cluster sparkify is available.")
    web.shoot("cluster")

    fields = {"Action": "teardown", "Final snapshot": False}
    web.trigger("redshift_cluster", **fields)
    web.wait_for_end("Success")
    web.open_task("teardown.show_leftovers")
    web.log_says("Nothing of cluster sparkify is left.")
    assert what_is_there(account) == before


# A file for each DAG, but one for the reconciliations of all datasets.
PATHS = {path.stem: path for path in sorted((REPOSITORY / "dags").glob("*.py"))}
RECONCILE = PATHS.pop("reconcile")
PATHS |= {f"{dataset.name}_reconcile": RECONCILE for dataset in DATASETS}


@pytest.mark.parametrize("dag_id", PATHS)
def test_the_page_of_every_dag_explains_it(web, dag_id):
    web.open(f"dags/{dag_id}")
    web.page.get_by_role("button", name="Dag Docs").click()
    headings = _headings(PATHS[dag_id])
    assert len(headings) >= 2
    for heading in headings:
        expect(web.dialog.get_by_role("heading", name=heading, exact=True)).to_be_visible()


def _headings(path: Path) -> list[str]:
    text = path.read_text()
    doc = re.split(r'doc_md=f?"""', text)[1].partition('"""')[0]
    return [line.lstrip("# ") for line in doc.splitlines() if line.startswith("#")]
