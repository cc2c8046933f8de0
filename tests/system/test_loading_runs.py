"""Which DAGs count as loading is what the DAG files say as a task runs: also files that came later."""

import shutil
import signal
import time
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException
from airflow.sdk.execution_time.timeout import timeout

from definitions import DATASETS
from sparkify.operators.loading_runs import runs_under_way, tagged_dags
from tests.system.conftest import ROOT

DAGS = ROOT / "dags"
THIRD = """
from airflow.sdk import DAG

for name, tag in (("third_etl", "loads"), ("third_report", "reads")):
    with DAG(dag_id=name, schedule=None, tags=[tag]):
        pass
"""


@pytest.fixture
def more_dags(tmp_path):
    """The DAG files of the project, one of a third dataset, and one that is broken."""
    shutil.copytree(DAGS, tmp_path / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "include", tmp_path / "include")
    (tmp_path / "dags" / "third.py").write_text(THIRD)
    (tmp_path / "dags" / "broken.py").write_text("from airflow.sdk import DAG, no_such_thing")
    return tmp_path / "dags"


def context_with_runs_of(dag_id, count=2):
    def get_dr_count(*, dag_id, states):
        return running.get(dag_id, 0) if states == ["running"] else 0

    running = {dag_id: count}
    instance = SimpleNamespace(
        dag_id="warehouse_reset", run_id="a", task_id="reset_tables", get_dr_count=get_dr_count
    )
    params = {"action": "empty", "tables": ["songplays"], "confirmation": ""}
    return {"ti": instance, "params": params}


def test_every_dag_that_stages_loads_looks_after_tables_or_starts_such_a_dag_is_found():
    found = {f"{one.name}_reconcile" for one in DATASETS} | {one.loaded_by for one in DATASETS}
    assert tagged_dags(DAGS, "loads") == sorted(
        found | {"replay_rejected", "sparkify_once", "warehouse_maintenance"}
    )


def test_a_dag_file_that_is_added_is_found_and_a_broken_one_passed_over(more_dags, caplog):
    assert tagged_dags(more_dags, "loads") == sorted([*tagged_dags(DAGS, "loads"), "third_etl"])
    assert "broken.py is broken and passed over" in caplog.text
    assert tagged_dags(more_dags, "no such tag") == []


@pytest.mark.parametrize(
    ("dag_id", "found"), [("third_etl", ("third_etl", 2)), ("third_report", None), ("unknown", None)]
)
def test_runs_of_a_tagged_dag_are_under_way(more_dags, dag_id, found):
    asker = str(more_dags / "redshift_reaper.py")
    assert runs_under_way(context_with_runs_of(dag_id), asker, "loads") == found


def test_a_reset_waits_for_the_runs_of_a_dataset_that_was_added(more_dags):
    from airflow.dag_processing.dagbag import DagBag

    dag = DagBag(str(more_dags / "warehouse_reset.py")).dags["warehouse_reset"]
    operator = dag.get_task("reset_tables").prepare_for_execution()
    context = context_with_runs_of("third_etl")
    operator.render_template_fields(context)
    with pytest.raises(AirflowFailException, match="runs of third_etl are under way: 2"):
        operator.execute(context)


def test_the_timeout_of_the_task_that_asks_goes_on():
    with timeout(600):
        before = signal.getsignal(signal.SIGALRM)
        started = time.monotonic()
        tagged_dags(DAGS, "loads")
        left, _ = signal.getitimer(signal.ITIMER_REAL)
        assert signal.getsignal(signal.SIGALRM) == before
    assert 600 - (time.monotonic() - started) - 1 < left < 600
