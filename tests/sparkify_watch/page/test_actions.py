"""What people start from the page: who may, what keeps others from making them do it, and that it is once."""

import html
import json
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

import pytest

from sparkify.stage.corrections import read_corrections
from sparkify_watch.page.airflow_api import AirflowApi, AirflowRefusal
from sparkify_watch.page.tokens import make_token
from tests.sparkify_watch.web_server import Person

LOAD = "/warehouse/sparkify/load"
WINDOW = {"window_start": "2018-11-01T00:00:00+00:00", "window_end": "2018-11-01T03:00:00+00:00"}
POSTS = {
    LOAD: WINDOW,
    "/warehouse/stores/load": {"window_start": "2018-11-01T00:00Z", "window_end": "2018-12-01T00:00Z"},
    "/warehouse/sparkify/replay": {},
    "/warehouse/cluster/pause": {"identifier": "sparkify"},
    "/warehouse/cluster/resume": {"identifier": "sparkify"},
}
GETS = (
    "/warehouse/cluster",
    "/warehouse/sparkify/backfills",
    "/warehouse/stores/backfills",
    "/warehouse/sparkify/task?dag_id=sparkify_etl&run_id=a&task_id=b",
    "/warehouse/run/sparkify_etl/none",
)


def form(user: str = "op", **fields: str) -> dict[str, str]:
    return {"token": make_token(user), **WINDOW, **fields}


def runs(person: Person, dag_id: str = "sparkify_etl") -> list[dict]:
    return person.api(f"dags/{dag_id}/dagRuns")["dag_runs"]


def started(person: Person) -> int:
    return person.api("dags/~/dagRuns?limit=1")["total_entries"]


class TestWho:
    def test_a_stranger_gets_401_of_every_route(self, stranger, op):
        for path in GETS:
            assert stranger.get(path).status_code == 401, path
        for path, fields in POSTS.items():
            assert stranger.post(path, form(**fields)).status_code == 401, path
        assert started(op) == 0

    def test_a_viewer_sees_pages_without_buttons_and_gets_403_of_every_change(self, viewer, op):
        for path in GETS:
            answer = viewer.get(path)
            assert answer.status_code == (404 if "none" in path else 200), path
            assert 'method="post"' not in answer.text.split("<main", 1)[1], path
        for path, fields in POSTS.items():
            assert viewer.post(path, form("viewer", **fields)).status_code == 403, path
        assert started(op) == 0

    def test_who_may_gets_past_all_of_that(self, op):
        for path in GETS[:-1]:
            assert op.get(path).status_code == 200, path
        for path, fields in POSTS.items():
            status = op.post(path, form(**fields)).status_code
            assert status == (409 if "cluster" in path else 303), path

    def test_no_dataset_of_that_name_is_loaded(self, op):
        assert op.post("/warehouse/pop/load", form()).status_code == 404
        assert op.post("/warehouse/cluster/remove", form()).status_code == 422


class TestForgery:
    @pytest.mark.parametrize(
        "token", ["", "forged", "6a2b.0123456789abcdef." + "0" * 64, "another's", "of a changed letter"]
    )
    def test_a_form_without_a_good_token_is_refused(self, op, token):
        good = make_token("op")
        found = {
            "another's": make_token("another"),
            "of a changed letter": f"{good[:-1]}{'01'[good[-1] == '0']}",
        }
        for path, fields in POSTS.items():
            answer = op.post(path, {**fields, "token": found.get(token, token)})
            assert answer.status_code == 403, path
            assert "nothing was done" in answer.text
        assert started(op) == 0

    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec_Fetch_Site": "cross-site"},
            {"Sec_Fetch_Site": "same-site"},
            {"Sec_Fetch_Site": "none"},
            {"Sec_Fetch_Site": "", "Origin": "https://elsewhere.example"},
            {"Sec_Fetch_Site": "", "Origin": "http://testserver.elsewhere.example"},
            {"Sec_Fetch_Site": "", "Origin": "http://testserver:8081"},
            {"Sec_Fetch_Site": "", "Origin": "null"},
        ],
    )
    def test_a_form_that_another_site_sends_is_refused_whatever_its_token(self, op, headers):
        for path, fields in POSTS.items():
            answer = op.post(path, form(**fields), **headers)
            assert answer.status_code == 403, path
            assert "another site" in answer.text
        assert started(op) == 0

    def test_behind_a_proxy_the_address_of_the_browser_is_that_of_the_configuration(self, op, monkeypatch):
        headers = {"Sec_Fetch_Site": "", "Origin": "https://airflow.example"}
        assert op.post(LOAD, form(), **headers).status_code == 403
        monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example/")
        assert op.post(LOAD, form(), **headers).status_code == 303

    def test_a_client_that_is_no_browser_needs_a_token_as_well(self, op):
        nothing = {"Sec_Fetch_Site": "", "Origin": ""}
        assert op.post(LOAD, WINDOW, **nothing).status_code == 403
        assert op.post(LOAD, form(), **nothing).status_code == 303

    @pytest.mark.parametrize(
        ("length", "status"), [("x", 411), ("-1", 411), ("1000001", 413), ("9" * 5000, 413)]
    )
    def test_how_long_it_is_has_to_be_said_first(self, op, length, status):
        assert op.post(LOAD, form(), Content_Length=length).status_code == status

    def test_a_form_that_is_larger_than_anybody_fills_in_is_not_read(self, op):
        assert op.post("/warehouse/sparkify/replay", form(corrections="x" * 1_000_001)).status_code == 413


class TestLoad:
    def test_it_starts_one_run_of_the_window_and_goes_to_its_page(self, op):
        answer = op.post(LOAD, form(window_start="2018-11-01T00:00", window_end="2018-11-01T05:30+02:30"))
        assert answer.status_code == 303
        [run] = runs(op)
        assert run["conf"] == WINDOW
        assert (run["triggering_user_name"], run["state"]) == ("op", "queued")
        assert run["dag_run_id"].startswith("window__2018-11-01T00:00_to_2018-11-01T03:00__")
        page = op.get(answer.headers["location"])
        assert page.status_code == 200
        assert "started by op" in page.text
        assert "stage_events" in page.text

    def test_the_audit_log_names_who_did_it_and_what(self, op):
        answer = op.post(LOAD, form())
        [entry] = op.api("eventLogs?order_by=-id&limit=1")["event_logs"]
        run_id = unquote(answer.headers["location"].rpartition("/")[2])
        assert (entry["event"], entry["owner"], entry["run_id"]) == ("trigger_dag_run", "op", run_id)
        assert WINDOW["window_start"] in entry["extra"]

    def test_a_form_that_is_sent_twice_starts_one_run_and_says_so(self, op):
        sent = form()
        assert op.post(LOAD, sent).status_code == 303
        again = op.post(LOAD, sent)
        assert again.status_code == 409
        assert "started already" in again.text
        [run] = runs(op)
        assert run["dag_run_id"] in again.text

    def test_so_it_does_once_the_run_has_ended(self, op):
        sent = form()
        op.post(LOAD, sent)
        end_runs()
        assert op.post(LOAD, sent).status_code == 409
        assert len(runs(op)) == 1

    def test_and_when_both_arrive_at_once(self, op):
        sent = form()
        with ThreadPoolExecutor(4) as pool:
            answers = [one.status_code for one in pool.map(lambda _: op.post(LOAD, sent), range(4))]
        assert sorted(answers) == [303, 409, 409, 409]
        assert len(runs(op)) == 1

    def test_where_airflow_fails_it_tells_of_the_run_that_the_same_form_has_started(self, op, monkeypatch):
        sent = form()
        op.post(LOAD, sent)
        end_runs()

        async def fail(*_arguments, **_document):
            raise AirflowRefusal(500, "database is locked")

        monkeypatch.setattr(AirflowApi, "send", fail)
        assert op.post(LOAD, sent).status_code == 409
        assert op.post(LOAD, form()).status_code == 500

    def test_a_window_that_a_run_loads_already_is_not_loaded_beside_it(self, op, login):
        op.post(LOAD, form())
        answer = login("another").post(LOAD, form("another"))
        assert answer.status_code == 409
        assert "under way already" in answer.text
        end_runs()
        assert op.post(LOAD, form()).status_code == 303
        assert len(runs(op)) == 2

    def test_a_dag_that_is_switched_off_is_switched_on_only_when_somebody_says_so(self, op):
        op.change("PATCH", "dags/sparkify_etl", {"is_paused": True})
        answer = op.post(LOAD, form())
        assert answer.status_code == 409
        assert "sparkify_etl is paused" in answer.text
        assert 'name="switch_on"' in answer.text
        assert WINDOW["window_end"] in answer.text
        assert runs(op) == []
        assert op.post(LOAD, form(switch_on="yes")).status_code == 303
        assert not op.api("dags/sparkify_etl")["is_paused"]

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"window_start": "2018-11-01T03:00Z", "window_end": "2018-11-01T03:00Z"}, "is empty"),
            ({"window_start": "2018-11-01T03:00Z", "window_end": "2018-11-01T02:00Z"}, "is reversed"),
            ({"window_start": "yesterday"}, "window_start &#39;yesterday&#39; is no time"),
            ({"window_start": "0001-01-01T00:00+14:00"}, "no time in UTC"),
            ({"window_end": ""}, "window_end &#39;&#39; is no time"),
            ({"window_end": "<script>alert(1)</script>"}, "&lt;script&gt;"),
        ],
    )
    def test_a_window_that_is_none_is_said_to_be_none(self, op, fields, words):
        answer = op.post(LOAD, form(**fields))
        assert answer.status_code == 400
        assert words in answer.text
        assert "<script>" not in answer.text
        assert started(op) == 0


class TestReplay:
    def test_it_starts_the_dag_that_replays_with_what_was_filled_in(self, op):
        fields = {"load_id": "20181101T000000Z-ab", "corrections": '{"line": 1}', "window_start": ""}
        assert op.post("/warehouse/sparkify/replay", form(**fields)).status_code == 303
        [run] = runs(op, "replay_rejected")
        assert run["conf"] == {
            "dataset": "sparkify",
            "dry_run": False,
            "load_id": "20181101T000000Z-ab",
            "corrections": '{"line": 1}',
        }

    def test_or_only_looks(self, op):
        op.post("/warehouse/stores/replay", form(dry_run="yes"))
        [run] = runs(op, "replay_rejected")
        assert run["conf"] == {"dataset": "stores", "dry_run": True}


def end_runs() -> None:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import update

    with create_session() as session:
        session.execute(update(DagRun).values(_state="success"))


class TestRejectedRows:
    PAGE = "/warehouse/sparkify/rejected"

    @pytest.fixture(autouse=True)
    def _rejected(self, mirror):
        rows = [
            ("s3://raw/a.json", 7, '{"sessionId": "seven", "song": "Ü"}', "of a load"),
            ("s3://raw/a.json", None, '{"line": "unknown"}', "of a load"),
            ("s3://raw/a.json", 9, '{"broken', "of a load"),
        ]
        with mirror.writing() as db:
            db.executemany(
                "INSERT INTO rejected_rows (file, line, raw_text, load_id, owner) "
                "VALUES (?, ?, ?, ?, 'sparkify')",
                rows,
            )

    def test_who_may_is_offered_to_replay_them_with_a_draft_of_what_to_correct(self, op, viewer):
        text = op.get(self.PAGE).text
        assert "Replay the rows of this load" in text
        draft = html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", text, re.DOTALL)[1])
        row = {"sessionId": "seven", "song": "Ü"}
        assert [json.loads(line) for line in draft.splitlines()] == [
            {"file": "s3://raw/a.json", "line": 7, "row": row}
        ]
        assert "Replay" not in viewer.get(self.PAGE).text

    def test_the_draft_is_of_the_form_that_the_replay_reads(self, op):
        draft = re.search(r"<textarea[^>]*>(.*?)</textarea>", op.get(self.PAGE).text, re.DOTALL)[1]
        found = read_corrections(html.unescape(draft), "raw")
        assert list(found) == ["a.json"]
        assert list(found["a.json"]) == [7]


class TestWhatABrowserShows:
    @pytest.mark.parametrize(
        ("user", "path", "status", "words"),
        [
            ("", "/warehouse/", 401, "You are not logged in"),
            ("op", "/warehouse/pop/loads", 404, "There is no dataset"),
            ("op", "/warehouse/static/none.css", 404, "There is no such file"),
        ],
    )
    def test_a_refusal_is_a_page(self, login, user, path, status, words):
        answer = login(user).get(path, Accept="text/html,*/*")
        assert answer.status_code == status
        assert words in answer.text
        assert "<h1>" in answer.text
        assert login(user).get(path).headers["content-type"] == "application/json"

    def test_also_that_of_a_form_which_is_too_old(self, op):
        answer = op.post(LOAD, {"token": "old"}, Accept="text/html")
        assert answer.status_code == 403
        assert "<h1>You may not do this</h1>" in answer.text
        assert "nothing was done" in answer.text
