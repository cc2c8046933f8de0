"""What Airflow is told of the page, and what that costs processes that do not serve it."""

import os
import subprocess
import sys

from tests.conftest import REPOSITORY

READ = """
import sys
sys.path.append(sys.argv[1])
import warehouse_page
print(sorted({"fastapi", "sparkify_watch", "definitions"} & set(sys.modules)))
print(len(warehouse_page.WarehousePage().routes))
"""


def test_the_plugin_imports_nothing_of_the_page_until_it_is_asked_for_and_finds_the_datasets_then(tmp_path):
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", READ, str(REPOSITORY / "plugins")]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    loaded, routes = done.stdout.splitlines()[-2:]
    assert loaded == "[]"
    assert int(routes) > 15


def test_airflow_shows_it_in_the_navigation_and_on_every_dag(viewer):
    [plugin] = [one for one in viewer.api("plugins?limit=100")["plugins"] if one["name"] == "warehouse_page"]
    places = {view["destination"]: view["href"] for view in plugin["external_views"]}
    assert places == {"nav": "/warehouse/", "dag": "/warehouse/dag/{DAG_ID}"}


def test_no_plugin_fails_to_load(viewer):
    assert viewer.api("plugins/importErrors")["import_errors"] == []
