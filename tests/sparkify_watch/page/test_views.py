"""What the pages show of a mirror."""

import re
from datetime import datetime

import pytest

from bench import mirror as years
from sparkify_watch.mirror.refresh import note
from sparkify_watch.mirror.schema import stamp
from sparkify_watch.page.words import DASH

CELL = r"<t[hd][^>]*>(.*?)</t[hd]>"
SMALL = years.Sizes(plays=12_345, loads=700, files=130, rejected=120)


@pytest.fixture
def filled(mirror):
    years.fill(mirror, SMALL)
    return mirror


def text(answer):
    assert answer.status_code == 200, answer.text
    return answer.text


def rows(page):
    """The cells of each row of a page's tables, without marks."""
    return [
        [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in re.findall(CELL, row, re.DOTALL)]
        for row in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    ]


def links(page):
    return re.findall(r'href="([^"]+)"', page)


def next_page(page):
    [found] = re.findall(r'rel="next" href="([^"]+)"', page) or [None]
    return found and found.replace("&amp;", "&")


def test_the_overview_tells_rows_freshness_and_last_load_of_each_table(filled, viewer):
    found = {row[0]: row for row in rows(text(viewer.get("/warehouse/"))) if row}
    count, newest, until, last, wrote = found["songplays"][1:]
    assert (count, newest, until, wrote) == ("12,345", "2018-12-01 00:00", "2018-12-01 00:00", "123")
    assert re.fullmatch(r"2018-12-01 00:01 , \d+ d( \d+ h)? ago", last)
    assert found["stores"][1:] == [DASH, DASH, DASH, "never", DASH]


def test_the_overview_points_to_what_needs_a_look(filled, viewer):
    page = text(viewer.get("/warehouse/"))
    assert "/warehouse/sparkify/rejected" in links(page)
    assert "120 rejected rows" in page
    assert "No check has run yet" in page


def test_a_mirror_without_anything_says_so_and_breaks_no_page(mirror, viewer):
    assert "looked at for the first time" in text(viewer.get("/warehouse/"))
    for page in ("hours", "loads", "quality", "files", "rejected", "answers", "backfills"):
        text(viewer.get(f"/warehouse/sparkify/{page}"))
    assert "No file was staged yet." in text(viewer.get("/warehouse/sparkify/files"))


def test_the_tab_of_a_dag_shows_its_dataset_or_that_it_loads_none(filled, viewer):
    page = text(viewer.get("/warehouse/dag/sparkify_etl"))
    assert "songplays" in page
    assert "store_sales" not in page
    page = text(viewer.get("/warehouse/dag/redshift_reaper"))
    assert "This DAG loads no dataset. Those that do: sparkify_etl, stores_etl." in page


def test_a_picture_says_its_age_and_why_it_is_not_newer(filled, viewer):
    note(filled, picture_at=stamp(datetime(2018, 12, 1)), problem="The cluster sparkify is <paused>.")
    page = text(viewer.get("/warehouse/sparkify/loads"))
    assert "As of" in page
    assert "2018-12-01 00:00:00 UTC" in page
    assert "The cluster sparkify is &lt;paused&gt;." in page


def test_loads_are_listed_newest_first_page_by_page_and_by_table(filled, viewer):
    page = text(viewer.get("/warehouse/sparkify/loads?table=songplays"))
    found = [row for row in rows(page) if len(row) == 10][1:]
    assert {row[1] for row in found} == {"songplays"}
    assert found[0][2] == "2018-11-30 23:00 to 2018-12-01 00:00"
    assert len(found) == 50
    second = text(viewer.get("/warehouse/sparkify/loads" + next_page(page)))
    assert {row[1] for row in rows(second)[1:]} == {"songplays"}
    assert next_page(second) is None
    assert not {row[0] for row in found} & {row[0] for row in rows(second)[1:]}
    assert page.count("<svg") == 2


def test_a_load_leads_to_the_rows_that_it_rejected(filled, viewer):
    page = text(viewer.get("/warehouse/sparkify/loads"))
    link = next(link for link in links(page) if "rejected?load_id=" in link)
    assert viewer.get(link).status_code == 200


def test_checks_that_did_not_pass_come_first_with_their_history(filled, viewer):
    with filled.writing() as db:
        db.execute("UPDATE quality_results SET status = 'passed'")
        db.execute(
            "UPDATE quality_results SET status = 'failed' WHERE check_name = 'check 7' AND checked_at = "
            "(SELECT MAX(checked_at) FROM quality_results)"
        )
    page = text(viewer.get("/warehouse/sparkify/quality"))
    found = rows(page)[1:]
    assert len(found) == 20
    assert found[0][0] == "check 7"
    assert found[0][3] == "failed"
    assert {row[3] for row in found[1:]} == {"passed"}
    assert page.count('class="chart strip"') == 20
    assert "40 last results, 1 not passed" in page
    history = text(viewer.get("/warehouse/sparkify/quality?check=users%3A+check+9"))
    assert len(rows(history)) == 51


def test_the_history_of_a_check_is_of_its_table_only(filled, viewer):
    with filled.writing() as db:
        db.execute("UPDATE quality_results SET check_name = 'rows', check_key = table_name || ': rows'")
    page = text(viewer.get("/warehouse/sparkify/quality?check=users%3A+rows"))
    assert "<h1>users: rows</h1>" in page
    assert 1 < len(rows(page)) <= 51


def test_files_are_searched_by_any_part_of_their_key(filled, viewer):
    page = text(viewer.get("/warehouse/sparkify/files"))
    assert "130 versions of files are on record" in page
    assert len(rows(page)) == 51
    page = text(viewer.get("/warehouse/sparkify/files?q=tr0000000000000077"))
    [_, [key, table, size, *_]] = rows(page)
    assert key == "song_data/25/B/C/TR0000000000000077.json"
    assert (table, size) == ("staging_songs", "1.1 kB")
    for wild in ("%25", "_", "TR%25"):
        assert "There is no such file." in text(viewer.get(f"/warehouse/sparkify/files?q={wild}A")), wild


def test_every_file_is_on_one_page_and_no_other(filled, viewer):
    keys, link = [], ""
    while link is not None:
        page = text(viewer.get(f"/warehouse/sparkify/files{link}"))
        keys += [row[0] for row in rows(page)[1:]]
        link = next_page(page)
    assert len(keys) == len(set(keys)) == 130


def test_rejected_rows_are_told_by_file_line_column_value_and_reason_and_searched(filled, viewer):
    page = text(viewer.get("/warehouse/sparkify/rejected?q=not a time 77"))
    [_, row] = rows(page)
    assert row[:5] == [
        "s3://sparkify-raw/log_data/2018/11/2018-11-30-events.json",
        *("77", "ts", "not a time 77", "Invalid timestamp format or value [epochmillisecs]"),
    ]
    assert "Something" in row[5]
    load = re.search(r"load_id=([^\"&]+)", page)[1]
    of_load = text(viewer.get(f"/warehouse/sparkify/rejected?load_id={load}"))
    assert {row[0] for row in rows(of_load)[1:]} == {row[0]}
    assert "Shown are those of the load" in of_load
    assert "There is no such row." in text(viewer.get("/warehouse/sparkify/rejected?load_id=none"))


def test_what_others_have_written_steers_neither_browser_nor_reader(filled, viewer):
    bad = "<script>alert(1)</script>\x1b[31m\u202egpj"
    with filled.writing() as db:
        db.execute("UPDATE rejected_rows SET value = ?, raw_text = ?, reason = ?", (bad, bad, bad))
        db.execute("UPDATE staged_files SET key = ?", (bad,))
        db.execute("UPDATE quality_results SET observed = ?, check_name = ?", (bad, bad))
        db.execute("UPDATE loads SET run_id = ?", (bad,))
    for page in ("rejected", "files", "quality", "loads", "quality?check=users: check 9"):
        shown = text(viewer.get(f"/warehouse/sparkify/{page}"))
        assert "<script>alert" not in shown
        assert "\x1b" not in shown
        assert "\u202e" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\x1b[31m\\u202egpj" in text(
        viewer.get("/warehouse/sparkify/files")
    )


@pytest.mark.parametrize("page", ["page=0", "page=-1", "page=x", "page=99999999", f"q={'x' * 201}"])
def test_a_page_that_cannot_be_is_refused(filled, viewer, page):
    assert viewer.get(f"/warehouse/sparkify/files?{page}").status_code == 422


def test_every_page_can_be_used_without_a_mouse_and_by_ear(filled, viewer):
    for path in ("", "sparkify/loads", "sparkify/quality", "sparkify/files", "sparkify/rejected"):
        page = text(viewer.get(f"/warehouse/{path}"))
        assert '<html lang="en">' in page
        assert page.index('href="#main"') < page.index("<nav")
        assert page.count("<h1>") == 1
        assert page.count("<table") == page.count("<caption")
        assert page.count("<select") + page.count('type="search"') == page.count("<label")
        assert 'aria-current="page"' in page


QUERIES = {"": 24, "sparkify/loads": 8, "sparkify/quality": 8, "sparkify/files": 8, "sparkify/rejected": 8}


@pytest.mark.parametrize("path", QUERIES)
def test_a_page_asks_the_mirror_a_bounded_number_of_questions(filled, viewer, monkeypatch, path):
    asked = []
    opened = type(filled)._connect

    def connect(store):
        db = opened(store)
        db.set_trace_callback(asked.append)
        return db

    monkeypatch.setattr(type(filled), "_connect", connect)
    text(viewer.get(f"/warehouse/{path}"))
    questions = [sql for sql in asked if sql.lstrip().startswith(("SELECT", "WITH")) and "--" not in sql[:3]]
    assert 0 < len(questions) <= QUERIES[path], questions


SCANS = ("SCAN loads", "SCAN staged_files", "SCAN rejected_rows", "SCAN refused_rows", "SCAN quality_results")


@pytest.mark.parametrize(
    "path", ["", "sparkify/loads?table=users", "sparkify/quality", "sparkify/files", "sparkify/rejected"]
)
def test_no_question_reads_a_long_table_from_end_to_end(filled, viewer, monkeypatch, path):
    asked = []
    opened = type(filled)._connect

    def connect(store):
        db = opened(store)
        db.set_trace_callback(asked.append)
        return db

    with monkeypatch.context() as patch:
        patch.setattr(type(filled), "_connect", connect)
        text(viewer.get(f"/warehouse/{path}"))
    with filled.reading() as db:
        for sql in asked:
            if sql.lstrip().startswith(("SELECT", "WITH")):
                plan = " ".join(str(row[3]) for row in db.execute(f"EXPLAIN QUERY PLAN {sql}"))
                assert not any(scan in plan for scan in SCANS), (sql, plan)
