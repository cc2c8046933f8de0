"""The page's changes in a whole Airflow: who may make them, and what becomes of them in the warehouse."""

import dataclasses
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, quote, unquote, urlsplit

import httpx
import pytest

from sandbox import lifecycle
from sandbox.airflow.airflow import USER
from sandbox.parts.settings import SOURCE_BUCKET, WORK_BUCKET, Settings
from sparkify.cluster.plan import ClusterPlan
from sparkify.cluster.status import connection_json
from tests.pipeline import Source
from tests.records import event
from tests.sandbox.aws.client import client
from tests.sparkify_watch.web_server import Person
from tests.system.airflow_service import AirflowService

pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]

PLAN = ClusterPlan(
    identifier="sparkify",
    source_bucket=SOURCE_BUCKET,
    work_bucket=WORK_BUCKET,
    region="us-east-1",
    allowed_cidr="10.0.0.0/8",
)
PAGES = ("", "cluster", "sparkify/hours", "sparkify/loads", "sparkify/backfills", "stores/backfills")
THREE_HOURS = {"window_start": "2018-11-15T09:00", "window_end": "2018-11-15T12:00"}
POSTS = {
    "sparkify/load": THREE_HOURS,
    "sparkify/replay": {"dry_run": "yes"},
    "cluster/pause": {"identifier": "sparkify"},
    "cluster/resume": {"identifier": "sparkify"},
}
BACKFILLS = "/warehouse/sparkify/backfills"


@pytest.fixture(scope="module")
def settings(new_settings: Callable[[], Settings]) -> Iterator[Settings]:
    found = dataclasses.replace(new_settings(), cluster_seconds=2)
    lifecycle.up(found)
    source = Source(client(found, "s3"), SOURCE_BUCKET)
    source.put_events("2018-11-15", [event(f"2018-11-15T{hour:02}:30:00") for hour in range(24)])
    source.put_song("TRAAA1", title="Unknown")
    yield found
    lifecycle.down(found.home)


@pytest.fixture(scope="module")
def airflow(settings: Settings) -> Iterator[AirflowService]:
    service = AirflowService(
        settings,
        AIRFLOW_CONN_REDSHIFT_DEFAULT=connection_json(PLAN),
        AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS=f"{USER}:admin,op:op,viewer:viewer",
    )
    try:
        service.start()
        yield service
    finally:
        service.stop()


@pytest.fixture
def login(airflow: AirflowService) -> Callable[[str], Person]:
    def log_in(user: str = "") -> Person:
        web = httpx.Client(base_url=airflow.url, timeout=60, trust_env=False)
        return Person(web, user, airflow.passwords.get(user, ""))

    return log_in


@pytest.fixture
def op(login) -> Person:
    return login("op")


@pytest.fixture
def press(airflow, op):
    """Post a form of a page and wait for the end of the run that it starts."""

    def press(path, token_of, **fields):
        answer = op.post(f"/warehouse/{path}", {"token": op.token(token_of), **fields})
        assert answer.status_code == 303, answer.text
        _, dag_id, run_id = answer.headers["location"].rsplit("/", 2)
        return airflow.ended(dag_id, unquote(run_id))

    return press


def shows(airflow: AirflowService, person: Person, path: str, words: str) -> str:
    """Wait until a page, which is refreshed behind who looks, has some words."""

    def look() -> str:
        text = person.get(path).text
        return text if words in text else ""

    return airflow.wait_until(look, f"{path} shows {words!r}")


def test_every_route_refuses_strangers_and_viewers_and_every_form_what_is_forged(airflow, login, op):
    stranger, viewer = login(), login("viewer")
    before = op.api("dags/~/dagRuns?limit=1")["total_entries"]
    for page in PAGES:
        statuses = [who.get(f"/warehouse/{page}").status_code for who in (stranger, viewer, op)]
        assert statuses == [401, 200, 200], page
    token = op.token(BACKFILLS)
    for path, fields in POSTS.items():
        address, sent = f"/warehouse/{path}", {**fields, "token": token}
        assert stranger.post(address, sent).status_code == 401, path
        assert viewer.post(address, sent).status_code == 403, path
        assert op.post(address, {**fields, "token": f"{token[:-1]}x"}).status_code == 403, path
        assert op.post(address, sent, Sec_Fetch_Site="cross-site").status_code == 403, path
        foreign = {"Sec_Fetch_Site": "", "Origin": "https://elsewhere.example"}
        assert op.post(address, sent, **foreign).status_code == 403, path
    assert op.api("dags/~/dagRuns?limit=1")["total_entries"] == before


def test_from_no_cluster_to_hours_in_it_a_pause_and_hours_again(airflow, op, press):
    assert "There is no such cluster" in shows(airflow, op, "/warehouse/cluster", "Cluster sparkify: absent")
    shows(airflow, op, "/warehouse/", "the cluster sparkify is absent")
    airflow.run("redshift_cluster", action="provision").succeeded()
    assert "USD 0.543" in shows(airflow, op, "/warehouse/cluster", "Cluster sparkify: available")

    _load_three_hours_once(airflow, op)
    _backfill_more_than_is_there(airflow, op, press)

    press("cluster/pause", "/warehouse/cluster", identifier="sparkify").succeeded()
    shows(airflow, op, "/warehouse/cluster", "Cluster sparkify: paused")
    text = shows(airflow, op, BACKFILLS, "the cluster sparkify is paused")
    assert "in the tables" in text
    press("cluster/resume", "/warehouse/cluster", identifier="sparkify", hours_to_live="2").succeeded()
    shows(airflow, op, "/warehouse/cluster", "Cluster sparkify: available")


def _load_three_hours_once(airflow, op):
    sent = {**THREE_HOURS, "token": op.token(BACKFILLS)}
    started = op.post("/warehouse/sparkify/load", sent)
    assert started.status_code == 303, started.text
    again = op.post("/warehouse/sparkify/load", sent)
    assert again.status_code == 409
    page = started.headers["location"]
    run_id = unquote(page.rpartition("/")[2])
    assert run_id in again.text

    run = airflow.ended("sparkify_etl", run_id).succeeded()
    [found] = op.api("dags/sparkify_etl/dagRuns?run_type=manual")["dag_runs"]
    assert (found["dag_run_id"], found["triggering_user_name"]) == (run_id, "op")
    logged = op.api(f"eventLogs?run_id={quote(run_id)}&event=trigger_dag_run")["event_logs"]
    assert {entry["owner"] for entry in logged} == {"op"}
    assert "is <strong>success</strong>, started by op" in op.get(page).text
    shows(airflow, op, BACKFILLS, "3 of 3 hours are in the tables.")
    _follow_the_links_of(airflow, op, run)


def _follow_the_links_of(airflow, op, run):
    path = f"dags/{run.dag_id}/dagRuns/{quote(run.run_id)}/taskInstances/load_songplays/links"
    links = op.api(path)["extra_links"]
    # The cluster has no page in AWS's console: the connection to AWS leads to the sandbox.
    assert links["Queries in the AWS console"] is None
    query = parse_qs(urlsplit(links["Rows of this task"]).query)
    assert query == {"dag_id": [run.dag_id], "run_id": [run.run_id], "task_id": ["load_songplays"]}
    shows(airflow, op, links["Rows of this task"], "Loads that it has committed")
    checks = op.api(path.replace("load_songplays", "check_quality"))["extra_links"]
    shows(airflow, op, checks["Results of these checks"], "Results of its checks")


def _backfill_more_than_is_there(airflow, op, press):
    """Two hours are backfilled; then the tables are emptied: Airflow goes on to call them complete."""
    asked = {"dag_id": "sparkify_etl", "from_date": "2018-11-15T13:00:00Z", "to_date": "2018-11-15T14:00:00Z"}
    made = op.change("POST", "backfills", {**asked, "max_active_runs": 2})
    airflow.wait_until(lambda: op.api(f"backfills/{made['id']}")["completed_at"], "the backfill is complete")
    shows(airflow, op, BACKFILLS, "2 of 2 hours are in the tables.")

    airflow.run("warehouse_reset", action="recreate", confirmation="sparkify").succeeded()
    text = shows(airflow, op, BACKFILLS, "0 of 2 hours are in the tables")
    assert "Airflow says: complete since" in text
    assert "2018-11-15 13:00 to 2018-11-15 15:00: 2 hours, missing" in text
    window = {"window_start": "2018-11-15T13:00:00+00:00", "window_end": "2018-11-15T15:00:00+00:00"}
    press("sparkify/load", BACKFILLS, **window).succeeded()
    shows(airflow, op, BACKFILLS, "2 of 2 hours are in the tables.")
