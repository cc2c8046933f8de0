"""What the preloaded module promises, in processes of its own: what it imports cannot be taken back."""

import json
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]

READ_DAG = """
import gc, json, sys
import airflow, sparkify_watch.alerts, sparkify.operators.preload
before, frozen = set(sys.modules), gc.get_freeze_count()
from airflow.dag_processing.dagbag import BundleDagBag
bag = BundleDagBag("dags/sparkify_etl.py", bundle_path="dags", bundle_name="dags")
assert list(bag.dags) == ["sparkify_etl"], bag.import_errors
print(json.dumps([sorted(set(sys.modules) - before), frozen]))
"""


RENDER = """
import airflow, sparkify.operators.preload
import pydantic
from airflow.sdk import DAG, BaseOperator, Param
from airflow.sdk.execution_time import task_runner
from airflow.sdk.plugins_manager import _get_plugins

class Greet(BaseOperator):
    template_fields = ("whom", "how")
    def __init__(self, whom, how, **kwargs):
        super().__init__(**kwargs)
        self.whom, self.how = whom, how

form = {"n": Param(1, type="integer")}
with DAG("greetings", schedule=None, params=form) as dag:
    one, other = (Greet(task_id=name, whom=["a"], how={"b": 2}) for name in ("one", "other"))
made, init = [], pydantic.TypeAdapter.__init__
pydantic.TypeAdapter.__init__ = lambda self, *a, **k: made.append(a) or init(self, *a, **k)
assert task_runner._serialize_rendered_fields(one) == {"whom": ["a"], "how": {"b": 2}}
assert made == [], made
one.params["n"] = Param("two", type="string")
other.params.get_param("n").value = 3
print(one.params["n"], other.params["n"], dag.params["n"], _get_plugins.cache_info().currsize)
"""


READ_MODELS = """
import airflow, sparkify.operators.preload
import boto3, botocore.loaders
read = []
load = botocore.loaders.JSONFileLoader.load_file
botocore.loaders.JSONFileLoader.load_file = lambda self, path: read.append(path) or load(self, path)
boto3.session.Session(region_name="us-east-1").client("s3")
print(read)
"""


CONNECT = """
import airflow, sparkify.operators.preload
import re._compiler, redshift_connector, socket, subprocess
done, compile_, run = [], re._compiler.compile, subprocess.check_output
re._compiler.compile = lambda pattern, *a, **k: done.append(pattern) or compile_(pattern, *a, **k)
subprocess.check_output = lambda words, *a, **k: done.append(words) or run(words, *a, **k)
with socket.create_server(("127.0.0.1", 0)) as server:
    port = server.getsockname()[1]
# The driver asks all of it, but for the name of the machine's system, before it finds nobody there.
try:
    redshift_connector.connect(
        host="127.0.0.1", port=port, user="u", password="p", database="d", application_name="dag.task"
    )
except redshift_connector.InterfaceError:
    redshift_connector.core.Connection.client_os_version.fget(None)
    print(done)
"""


CONVERT = """
import itertools, redshift_connector.core
plain = redshift_connector.core.convert_paramstyle
import airflow, sparkify.operators.preload
quick = redshift_connector.core.convert_paramstyle
assert quick is not plain
pieces = ["SELECT $1", " ?", " :1", " %s", " '?'", " '%'", ' "a:b"', " -- it's\\n", " /* 'x */", " $$ ' $$"]
values = [1, "two"]
for style, mark in {"qmark": "?", "numeric": ":", "format": "%"}.items():
    for chosen in itertools.product(pieces, repeat=3):
        sql = "".join(chosen)
        if mark == "%" and mark in sql:
            continue  # alone it is refused
        (expected, bind), (converted, quickly) = plain(style, sql), quick(style, sql)
        assert (expected, bind(values)) == (converted, quickly(values)), (style, sql)
print("alike")
"""


POLICY = """
import os
os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
import airflow, sparkify.operators.preload
print(os.sched_getscheduler(0) == os.SCHED_BATCH)
"""


FORBIDDEN = """
import os
def forbid(*_):
    raise PermissionError
os.sched_setscheduler = forbid
import airflow, sparkify.operators.preload
print("went on")
"""


def test_what_tasks_are_forked_from_pushes_nobody_aside():
    assert _run(POLICY) == "True"


def test_a_container_that_forbids_it_has_tasks_all_the_same():
    assert _run(FORBIDDEN) == "went on"


def test_the_driver_sends_after_it_what_it_would_have_sent():
    assert _run(CONVERT) == "alike"


def test_a_task_after_it_has_params_of_its_own_and_makes_nothing_to_check_its_fields_nor_loads_plugins():
    assert _run(RENDER) == "two 3 1 1"


def test_a_client_of_s3_made_after_it_reads_no_description_of_aws_any_more():
    assert _run(READ_MODELS) == "[]"


def test_a_connection_made_after_it_compiles_no_pattern_and_runs_no_program():
    assert _run(CONNECT) == "[]"


def test_reading_the_dag_after_it_imports_nothing_of_airflow_or_aws_any_more():
    imported, frozen = json.loads(_run(READ_DAG))
    heavy = (
        "airflow.",
        "boto",
        "redshift_connector",
        "sqlalchemy",
        "sparkify.",
        "sparkify_watch.",
        "smtplib",
    )
    # Airflow looks for plugins of its providers when it reads the first DAG; that is done once for each task.
    assert [name for name in imported if name.startswith(heavy) and ".plugins" not in name] == []
    assert frozen > 100_000


def _run(program):
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "plugins")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]
