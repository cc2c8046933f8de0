"""Alerts of a whole Airflow: a deadline missed, runs that fail and are mended, receivers that are dead."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import lifecycle
from tests.sparkify_watch.alerts.fixtures import Receiver, connection, http_receiver
from tests.system.airflow_service import AirflowService

pytestmark = pytest.mark.long

SECRET = "never-to-be-logged"
DAG_FILE = """
import time
from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG, BaseOperator, CronDataIntervalTimetable
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference
from airflow.sdk.exceptions import AirflowFailException

from definitions.forms import LOADING_DAG
from sparkify_watch.alerts import LateRunNotifier

ORDER = Path(__file__).parent.parent / "order"


class ObeyOperator(BaseOperator):
    def execute(self, context):
        while not ORDER.exists():
            time.sleep(0.1)
        if ORDER.read_text() == "fail":
            raise AirflowFailException("Line 7 of plays.json: 'x' is no number.")


# The last whole hour is over when its run is made.
SOON = DeadlineAlert(
    reference=DeadlineReference.DAGRUN_LOGICAL_DATE,
    interval=timedelta(hours=1),
    callback=AsyncCallback(LateRunNotifier),
)
with DAG(
    dag_id="obedient",
    schedule=CronDataIntervalTimetable("@hourly", timezone="UTC"),
    **LOADING_DAG | {"deadline": SOON},
):
    ObeyOperator(task_id="load", retries=0)
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver() as found:
        yield found


@pytest.fixture
def order(tmp_path: Path) -> Path:
    """What the tasks obey: they wait until it is there."""
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "obedient.py").write_text(DAG_FILE)
    return tmp_path / "order"


@pytest.fixture
def airflow(new_settings, receiver, order) -> Iterator[AirflowService]:
    settings = new_settings()
    lifecycle.up(settings)
    with socket.create_server(("127.0.0.1", 0)) as mute, socket.create_server(("127.0.0.1", 0)) as free:
        port, closed = mute.getsockname()[1], free.getsockname()[1]
        free.close()
        service = AirflowService(
            settings,
            AIRFLOW__CORE__DAGS_FOLDER=str(order.parent / "dags"),
            AIRFLOW_CONN_ALERTS=connection(host=receiver.url, password=SECRET),
            AIRFLOW_CONN_HANGING=connection(host=f"http://127.0.0.1:{port}/{SECRET}"),
            AIRFLOW_CONN_REFUSING=connection(host=f"http://127.0.0.1:{closed}/{SECRET}"),
            AIRFLOW_VAR_SPARKIFY_ALERTS="webhook:hanging webhook:refusing webhook:alerts log",
        )
        try:
            service.start()
            yield service
        finally:
            service.stop()


def test_a_late_load_a_failed_run_and_their_all_clears_come_once_each(airflow, receiver, order):
    def told(number):
        airflow.wait_until(lambda: len(receiver.documents) >= number, f"{number} alerts have come")
        return [(one["kind"], one["state"]) for one in receiver.documents]

    assert told(1) == [("late_load", "bad")]
    late = receiver.documents[0]
    assert late["run_id"].startswith("scheduled__")
    assert late["window"]["end"] == late["run_id"].removeprefix("scheduled__")
    order.write_text("go on")
    assert told(2)[1:] == [("late_load", "good")]

    order.write_text("fail")
    assert airflow.run("obedient").state == "failed"
    assert told(3)[2:] == [("failed_run", "bad")]
    assert receiver.documents[2]["cause"] == "Line 7 of plays.json: 'x' is no number."
    second = airflow.run("obedient")
    assert second.state == "failed"

    order.write_text("go on")
    path = "dags/obedient/clearTaskInstances"
    airflow.request("POST", path, {"dry_run": False, "dag_run_id": second.run_id, "only_failed": True})
    began = time.monotonic()
    assert airflow.ended("obedient", second.run_id).state == "success"
    assert time.monotonic() - began < 60
    assert told(4)[3:] == [("failed_run", "good")]

    text = "\n".join(path.read_text(errors="replace") for path in airflow.logs())
    assert text.count("[alert] obedient: a run failed") == 1
    assert text.count("[alert] obedient: a load is late") == 1
    assert "webhook:hanging was not delivered: no answer within 5 s" in text
    assert "webhook:refusing was not delivered: ConnectionError" in text
    assert SECRET not in text
