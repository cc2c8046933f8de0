"""Mapped tasks, as Airflow runs them."""

import json
from datetime import UTC, datetime

import pytest

from sparkify.warehouse.schema import with_ops

DAG_FILE = """
from airflow.sdk import DAG

from sparkify.operators import DataQualityOperator

CHECKS = "checks: [{kind: row_count, name: %s, table: ops.loads, max: 9}]"

with DAG("mapped_checks", schedule=None):
    DataQualityOperator.partial(task_id="check").expand(checks=[CHECKS % name for name in ("one", "two")])
"""


@pytest.fixture
def mapped_dag(metadata_database, tmp_path, monkeypatch):
    """A DAG in a folder that Airflow reads beside the project's own."""
    from airflow.dag_processing.dagbag import DagBag

    (tmp_path / "mapped_checks.py").write_text(DAG_FILE)
    path = "airflow.dag_processing.bundles.local.LocalDagBundle"
    folders = {"mapped": {"path": str(tmp_path)}, "dags-folder": {}}
    bundles = [{"name": name, "classpath": path, "kwargs": kwargs} for name, kwargs in folders.items()]
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps(bundles))
    return DagBag(str(tmp_path)).dags["mapped_checks"]


def test_every_index_of_a_mapped_check_keeps_its_results(warehouse, mapped_dag):
    warehouse.execute(*with_ops(()))
    assert mapped_dag.test(logical_date=datetime(2018, 11, 1, tzinfo=UTC)).state == "success"
    assert warehouse.query("SELECT task_id, check_name FROM ops.quality_results ORDER BY 1") == [
        ("check[0]", "one"),
        ("check[1]", "two"),
    ]
