"""The report: one page that says what the warehouse says, safe to hand on."""

import json
import os
import shutil
import subprocess
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from definitions.sparkify import SPARKIFY
from sparkify.warehouse.schema import with_ops
from sparkify_watch.mirror import read
from sparkify_watch.page import words
from sparkify_watch.report import __main__ as command
from sparkify_watch.report import history
from sparkify_watch.report.making import make_report
from sparkify_watch.report.periods import in_periods
from tests.conftest import REPOSITORY, free_port
from tests.sparkify_watch.records import DAY, load, rejected_row, result
from tests.system.conftest import execute
from tests.ui.conftest import ARGUMENTS, BROWSERS

HOUR = timedelta(hours=1)
HOSTILE = "<script>alert('x')</script><img src=//evil.test onerror=alert(1)>\"'&amp;\u202e"
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
PHONE = {"width": 390, "height": 800}


@pytest.fixture
def star(ops, session):
    """The tables of Sparkify, with one play."""
    files = [(REPOSITORY / "include" / name).read_text() for name in SPARKIFY.schema]
    for statement in with_ops(files):
        session.execute(statement)
    session.commit()
    ops.run(
        "INSERT INTO songplays (songplay_id, start_time, user_id, level, session_id, user_agent)"
        " VALUES ('p1', '2018-11-15 09:30:00', 1, 'free', 1, 'Agent/1.0')"
    )
    ops.add("loads", load(DAY + 10 * HOUR, rows_inserted=1))
    return ops


class Page(HTMLParser):
    """A page as a browser reads it: its elements, their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def titles_of_charts(self) -> list[str]:
        return [attributes["aria-label"] or "" for tag, attributes in self.elements if tag == "svg"]


def test_it_tells_of_freshness_rows_checks_rejected_rows_and_answers(star, session):
    at = DAY + 11 * HOUR
    star.add("loads", load(at, rows_inserted=0, rows_rejected=2))
    star.add("rejected_rows", rejected_row(at, 7), rejected_row(at, 8, reason="Overflow"))
    star.add("quality_results", result(at - HOUR), result(at, status="failed", observed="0"))
    page = Page(make_report(session))
    assert "songplays 1 2018-11-15 09:30 2018-11-15 11:00" in page.text
    assert "rows songplays error 2018-11-15 11:00 failed 0 at least 1" in page.text
    assert "0 of 1 checks passed" in page.text
    assert "s3://raw/log_data/2018/11/2018-11-15-events.json 7 ts soon Invalid timestamp" in page.text
    assert "What do listeners listen with?" in page.text
    assert "Agent/1.0 1 1 1" in page.text
    charts = page.titles_of_charts()
    assert "Rows of songplays from 2018-11-15 to 2018-11-15" in charts
    assert "Rows of songplays after each load" in charts
    assert "2 last results, 1 not passed" in charts
    assert "Rejected rows by reason" in charts
    assert any("user_agent" in title for title in charts)
    # Both datasets, the one that was never loaded as well.
    assert "Stores Freshness" in page.text
    assert "Nothing was loaded yet." in page.text


def test_a_warehouse_without_any_table_has_a_report(warehouse, connect):
    with connect() as session:
        page = Page(make_report(session))
    nothing = words.DASH
    assert f"songplays {nothing} {nothing} {nothing} never {nothing}" in page.text
    assert "No check was made yet." in page.text


def test_what_others_wrote_is_shown_and_never_markup(star, session):
    at = DAY + 10 * HOUR
    shown = {"value": HOSTILE, "reason": HOSTILE, '"column"': HOSTILE, "file": f"s3://raw/{HOSTILE}"}
    star.add("rejected_rows", rejected_row(at, 1, **shown))
    names = {"check_name": HOSTILE, "observed": HOSTILE, "expected": HOSTILE, "detail": HOSTILE}
    star.add("quality_results", result(at, status="failed", **names))
    star.run(f"UPDATE songplays SET user_agent = '{HOSTILE.replace(chr(39), chr(39) * 2)}'")
    page = Page(make_report(session))
    assert page.text.count("<script>alert('x')</script>") >= 8
    assert "\u202e" not in page.text
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "img", "link", "iframe", "object", "base", "form"}
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name in {"src", "style"}], tag
        assert (attributes.get("href") or "#").startswith("#")


def test_how_a_table_grew_is_reckoned_back_from_what_was_counted(star, session, store):
    from definitions import DATASETS
    from sparkify_watch.mirror.refresh import refresh

    columns = "songplay_id, start_time, user_id, level"
    star.run(f"INSERT INTO songplays ({columns}) SELECT 'p2', start_time, 2, level FROM songplays")
    for hour, (inserted, deleted) in enumerate([(5, 0), (3, 5), (0, 2)], 11):
        star.add("loads", load(DAY + hour * HOUR, rows_inserted=inserted, rows_deleted=deleted))
    refresh(session, store, DATASETS)
    with store.reading() as db:
        [table] = read.table_states(db, ["songplays"])
        found = [rows for _, rows in history.growth(db, table)]
    # Two are there: before the last load there were four, and so on; what began is not on record.
    assert found == [1, 6, 4, 2]


@pytest.mark.parametrize(
    ("days", "periods"),
    [
        ([date(2018, 11, 1), date(2018, 11, 2)], ["2018-11-01", "2018-11-02"]),
        ([date(2018, 11, 1), date(2018, 12, 1)], ["2018-11", "2018-12"]),
        ([date(2018, 1, 1) + timedelta(days=n) for n in range(90)], ["2018-01", "2018-02", "2018-03"]),
        ([], []),
    ],
)
def test_rows_are_told_by_day_or_by_month_where_that_says_more(days, periods):
    found = in_periods([(day, 2) for day in days])
    assert [name for name, _ in found] == periods
    assert sum(rows for _, rows in found) == 2 * len(days)


def test_the_command_writes_the_page_and_says_where(star, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("sys.argv", ["report", "--out", str(tmp_path / "new" / "page.html")])
    assert command.main() == 0
    path = Path(capsys.readouterr().out.strip())
    assert "songplays" in Page(path.read_text("utf-8")).text


def test_without_a_connection_it_says_what_to_set(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("sys.argv", ["report", "--out", str(tmp_path / "page.html"), "--conn-id", "nowhere"])
    assert command.main() == 1
    assert "set AIRFLOW_CONN_NOWHERE" in capsys.readouterr().err
    assert not (tmp_path / "page.html").exists()


def test_a_warehouse_that_is_down_is_named_and_what_to_do(monkeypatch, tmp_path, capsys):
    given = {"conn_type": "redshift", "host": "127.0.0.1", "port": free_port(), "login": "a", "password": "b"}
    monkeypatch.setenv("AIRFLOW_CONN_GONE", json.dumps(given))
    monkeypatch.setattr("sys.argv", ["report", "--out", str(tmp_path / "page.html"), "--conn-id", "gone"])
    assert command.main() == 1
    said = capsys.readouterr().err
    assert "connection gone" in said
    assert "Traceback" not in said


def test_the_task_puts_the_page_into_the_work_bucket_and_returns_its_address(star, sandbox, s3):
    from dags.warehouse_report import dag

    address = execute(dag.get_task("write_report"), {}, "run")
    bucket, _, key = address.removeprefix("s3://").partition("/")
    assert key.startswith("reports/")
    found = s3.get_object(Bucket=bucket, Key=key)
    assert found["ContentType"] == "text/html; charset=utf-8"
    assert "songplays" in Page(found["Body"].read().decode()).text
    assert execute(dag.get_task("write_report"), {}, "run") != address


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
def test_a_browser_shows_it_without_script_or_network_in_light_dark_and_print(star, session, tmp_path):
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    star.add("loads", load(DAY + 11 * HOUR, rows_inserted=0))
    star.add("quality_results", result(DAY + 10 * HOUR))
    file = tmp_path / "page.html"
    file.write_text(make_report(session), "utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(java_script_enabled=False, viewport=PHONE)
        asked, said = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.goto(file.as_uri())
        chart = page.get_by_role("img", name="Rows of songplays after each load")
        assert chart.is_visible()
        assert (asked, said) == ([file.as_uri()], [])
        page.close()
        page = browser.new_page(color_scheme="light", viewport=PHONE)
        page.goto(file.as_uri())
        ground = "getComputedStyle(document.body).backgroundColor"
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.evaluate(ground) == "rgb(255, 255, 255)"
        assert Axe().run(page).response["violations"] == []
        page.emulate_media(color_scheme="dark")
        assert page.evaluate(ground) == "rgb(20, 24, 31)"
        assert Axe().run(page).response["violations"] == []
        page.emulate_media(media="print")
        assert page.evaluate(ground) == "rgb(255, 255, 255)"
        assert not page.get_by_role("navigation").is_visible()
        browser.close()


@pytest.mark.long
def test_make_report_reports_of_the_sandbox_where_no_other_warehouse_is_set(star, sandbox, tmp_path):
    variables = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    made = ["make", "--silent", "--old-file", ".venv/.ready", "report", f"OUT={tmp_path / 'page.html'}"]
    done = subprocess.run(made, cwd=REPOSITORY, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'page.html'}\n"
    assert "songplays" in Page((tmp_path / "page.html").read_text("utf-8")).text
