"""What a data engineer does first in the web UI: log in, load a window, learn why a window is refused."""

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.timeout(1200)
DAY = datetime(2018, 11, 15)
NEXT_DAY = DAY + timedelta(days=1)
START, END = "Start of the window", "End of the window"


def test_a_wrong_password_is_refused_and_the_right_one_opens_the_home_page(stranger, airflow):
    stranger.log_in(airflow.user, "not-" + airflow.password)
    expect(stranger.page.get_by_text("Invalid credentials")).to_be_visible()
    assert "/auth/login" in stranger.page.url
    stranger.log_in(airflow.user, airflow.password)
    stranger.page.wait_for_url(f"{stranger.url}/")
    expect(stranger.page.get_by_role("heading", name=re.compile("Welcome"))).to_be_visible()


def test_a_window_given_in_the_form_is_loaded(web, story):
    form = web.trigger_form("sparkify_etl")
    form.fill({START: DAY, END: NEXT_DAY})
    web.shoot("trigger")
    run_id = form.submit()
    web.wait_for_end("Success")
    story.windows.append((DAY, NEXT_DAY))
    web.open_run("sparkify_etl", run_id)
    expect(web.task_states).to_have_text(["Success"] * 9)
    web.shoot("run")
    story.check()
    web.open_task("stage_events")
    web.log_says("Window [2018-11-15T00:00:00+00:00, 2018-11-16T00:00:00+00:00)")
    web.shoot("log")
    web.page.go_back()
    web.fit(height=560)
    web.show_graph(tasks=9)
    web.shoot("graph")


@pytest.mark.parametrize(
    ("ends", "sentence"),
    [
        ({START: NEXT_DAY, END: DAY}, "is reversed: its start must lie before its end."),
        ({START: DAY}, "window_start is given but window_end is not: give both or neither."),
    ],
    ids=["reversed", "one end"],
)
def test_an_invalid_window_fails_in_the_first_task_that_uses_it_with_what_to_enter(web, ends, sentence):
    web.trigger("sparkify_etl", **ends)
    web.wait_for_end("Failed")
    web.task_is("create_tables", "Success")
    web.task_is("stage_events", "Failed")
    web.task_is("load_songplays", "Upstream Failed")
    web.open_task("stage_events")
    web.log_says(sentence, "Trigger with params window_start and window_end, for example")
    web.make_readable()
    web.shoot("refused-window")


def test_the_form_refuses_what_is_no_date_and_what_no_param_allows(web):
    form = web.trigger_form("sparkify_etl")
    field = form.field(START).get_by_test_id("datetime-input")
    picker = form.type_date(field, "2018/13/45")
    expect(picker).to_contain_text("Invalid date format.")
    picker.get_by_placeholder("YYYY/MM/DD").press("Escape")
    expect(field).to_have_text("Select date and time")
    form.fill({"Song files": "other/", "Days to look back": 99})
    expect(form.refuse()).to_contain_text("Invalid input for param song_prefix: 'other/' does not match")
