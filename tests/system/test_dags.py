"""What every DAG file promises, whatever it does."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from definitions import DATASETS
from definitions.forms import LOADS
from definitions.tags import TAGS

DAGS = sorted((Path(__file__).parents[2] / "dags").glob("*.py"))
DAG_IDS = [path.stem for path in DAGS if path.stem != "reconcile"] + [
    f"{one.name}_reconcile" for one in DATASETS
]


PAGE = (DAGS[0].parents[1] / "docs" / "dags.md").read_text()


@pytest.fixture(scope="module")
def bag():
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(DAGS[0].parent))


def test_every_dag_file_imports_and_holds_a_dag_of_its_name_or_one_for_each_dataset(bag):
    assert bag.import_errors == {}
    for path in DAGS:
        found = sorted(dag_id for dag_id, dag in bag.dags.items() if Path(dag.fileloc) == path)
        each = [f"{dataset.name}_{path.stem}" for dataset in DATASETS]
        assert found in ([path.stem], sorted(each)), path


READ_AS_AIRFLOW = """
import sys
from pathlib import Path
from airflow.dag_processing.dagbag import BundleDagBag
bag = BundleDagBag(sys.argv[1], bundle_path=Path(sys.argv[1]), bundle_name="dags-folder")
print(bag.import_errors, *sorted(bag.dags))
"""


def test_dag_files_find_what_they_share_where_only_airflow_has_set_the_path(tmp_path):
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", READ_AS_AIRFLOW, str(DAGS[0].parent)]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].split() == ["{}", *sorted(DAG_IDS)]


def test_definitions_of_datasets_can_be_read_without_airflow():
    reads = "import sys, definitions; sys.exit('airflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", reads], cwd=DAGS[0].parent, check=True)


def test_every_dag_can_be_serialized_for_the_scheduler(bag):
    from airflow.serialization.serialized_objects import DagSerialization

    for dag in bag.dags.values():
        assert DagSerialization.serialize_dag(dag)["dag_id"] == dag.dag_id


def test_tasks_of_dags_that_load_by_schedule_push_no_xcom(bag):
    """Each would be a request of an hourly run's; what a load returns stands in its log and in `ops`."""
    for dag_id in ("sparkify_etl", "stores_etl"):
        assert [task.task_id for task in bag.dags[dag_id].tasks if task.do_xcom_push] == []


def test_every_tag_is_explained_and_used(bag):
    for tag, meaning in TAGS.items():
        assert f"| `{tag}` | {meaning} |" in PAGE
    assert LOADS in TAGS
    assert set(TAGS) == {tag for dag in bag.dags.values() for tag in dag.tags}


def test_the_owners_name_leads_where_the_environment_says():
    reads = "from definitions.forms import COMMON; print(COMMON['owner_links'])"
    env = {**os.environ, "SPARKIFY_OWNER_LINK": "mailto:data@example.org"}
    env["PYTHONPATH"] = os.pathsep.join((str(DAGS[0].parent), str(DAGS[0].parents[1] / "plugins")))
    done = subprocess.run([sys.executable, "-c", reads], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "{'sparkify': 'mailto:data@example.org'}"


@pytest.mark.parametrize("dag_id", DAG_IDS)
class TestEveryDag:
    def test_explains_itself_in_the_ui(self, bag, dag_id):
        dag = bag.dags[dag_id]
        assert dag.description
        assert len(dag.doc_md) > 200
        assert "sparkify" in dag.tags
        assert dag.tags <= set(TAGS)

    def test_is_shown_under_its_id_by_which_the_list_is_searched_and_what_it_is_for(self, bag, dag_id):
        shown = bag.dags[dag_id].dag_display_name
        assert re.fullmatch(rf"{dag_id}: [A-Za-z0-9, ]+", shown)
        assert f"| {shown} |" in PAGE

    def test_has_an_owner_and_retries_on_every_task(self, bag, dag_id):
        for task in bag.dags[dag_id].tasks:
            assert task.owner == "sparkify", task.task_id
            assert task.retries >= 1, task.task_id
            assert task.execution_timeout, task.task_id

    def test_says_on_the_page_of_each_task_of_ours_what_it_does(self, bag, dag_id):
        for task in bag.dags[dag_id].tasks:
            if "sparkify" in type(task).__module__:
                assert task.doc_md, task.task_id
                assert "Args:" not in task.doc_md

    def test_describes_every_param(self, bag, dag_id):
        params = bag.dags[dag_id].params
        for name in params:
            param = params.get_param(name)
            assert param.schema.get("title"), name
            assert param.description, name

    def test_runs_on_data_intervals_or_by_hand(self, bag, dag_id):
        dag = bag.dags[dag_id]
        assert type(dag.timetable).__name__ in {"CronDataIntervalTimetable", "NullTimetable"}
        assert not dag.catchup


@pytest.mark.parametrize("path", DAGS, ids=lambda path: path.stem)
def test_a_dag_file_does_nothing_at_import_but_define(path):
    calls = {
        ".".join(_dotted(node.func))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
    }
    forbidden = {"Variable.get", "open", "Connection.get", "BaseHook.get_connection", "boto3.client", "print"}
    assert not calls & forbidden
    assert not {call for call in calls if call.endswith((".read_text", ".get_conn", ".execute"))}


def _dotted(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Attribute):
        return [*_dotted(node.value), node.attr]
    return [node.id] if isinstance(node, ast.Name) else ["?"]
