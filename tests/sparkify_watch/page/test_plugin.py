"""What Airflow is told of the page, and what that costs processes that do not serve it."""

import os
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

READ = """
import gc, sys
sys.path.append(sys.argv[1])
import warehouse_page
print(sorted({"fastapi", "sparkify_watch", "definitions"} & set(sys.modules)))
print(len(warehouse_page.WarehousePage().routes))
print(gc.get_freeze_count(), len(gc.get_objects()))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", READ, str(REPOSITORY / "plugins")]
    folder = tmp_path_factory.mktemp("elsewhere")
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-3:]


def test_the_plugin_imports_nothing_of_the_page_until_it_is_asked_for_and_finds_the_datasets_then(told):
    loaded, routes, _ = told
    assert loaded == "[]"
    assert int(routes) > 15


def test_collecting_garbage_passes_over_what_is_in_memory_when_the_page_is_first_asked_for(told):
    passed_over, looked_at = map(int, told[-1].split())
    assert passed_over > 100_000
    assert looked_at < 1_000


def test_airflow_shows_it_in_the_navigation_and_on_every_dag(viewer):
    [plugin] = [one for one in viewer.api("plugins?limit=100")["plugins"] if one["name"] == "warehouse_page"]
    places = {view["destination"]: view["href"] for view in plugin["external_views"]}
    assert places == {"nav": "/warehouse/", "dag": "/warehouse/dag/{DAG_ID}"}


def test_no_plugin_fails_to_load(viewer):
    assert viewer.api("plugins/importErrors")["import_errors"] == []
