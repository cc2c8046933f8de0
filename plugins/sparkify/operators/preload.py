"""For `[core] mp_forkserver_preload`: imported once, so that a task, which is a fork, need not do it again.

Set `[scheduler] mp_start_method = forkserver` and
`[core] mp_forkserver_preload = airflow,sparkify_watch.alerts,sparkify.operators.preload`;
`airflow` comes first, because it puts plugins/ on the path. Nothing else imports this module.
"""

import gc
import os
import platform
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any

import botocore.loaders
import botocore.session
import redshift_connector.core
from airflow.sdk import Param
from airflow.sdk.execution_time import task_runner
from airflow.sdk.listener import get_listener_manager
from pydantic import JsonValue, TypeAdapter
from redshift_connector.redshift_property import RedshiftProperty

from sparkify.warehouse.sql import MARKS

# What Airflow imports as a task starts, what the operators import as they run.
_MODULES = (
    "airflow.executors.local_executor",
    "airflow.dag_processing.bundles.local",
    "airflow.dag_processing.dagbag",
    "airflow.providers.amazon.aws.hooks.redshift_sql",
    "airflow.providers.amazon.aws.hooks.s3",
    "airflow.sdk.execution_time.cache",
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.timeout",
    "boto3.s3.inject",
    "jinja2.ext",
    "sparkify.operators",
)

for _name in _MODULES:
    import_module(_name)

# Airflow's plugins, which every task would load.
get_listener_manager()

# Airflow makes what checks JSON anew for each template field, before and after a task.
_make_adapter = cache(TypeAdapter)
_make_adapter(JsonValue)
task_runner.TypeAdapter = _make_adapter  # type: ignore[attr-defined, assignment]


# Every class of an operator copies the fields of its DAG's form, and all that they are made of: a fourth of
# reading a DAG file. Only a field itself is ever changed.
def _copy_field(field: Param, _memo: object) -> Param:
    twin = object.__new__(type(field))
    vars(twin).update(vars(field))
    return twin


Param.__deepcopy__ = _copy_field  # type: ignore[attr-defined]

# Each client is made by a session of its own, which reads what S3 is from megabytes of JSON: here once for
# all of them, unless somebody has descriptions of his own.
_LOADER, _create_loader = botocore.loaders.create_loader(), botocore.loaders.create_loader
botocore.session.create_loader = lambda search_path_string=None: (
    _create_loader(search_path_string) if search_path_string else _LOADER
)
botocore.session.get_session().create_client("s3", region_name="us-east-1").can_paginate("list_objects_v2")

# What the driver asks once for each connection, and both sides of it keep: a program is run for the one, the
# patterns of hosts are compiled for the others.
platform.platform()
_property = RedshiftProperty()
_property.put("host", "localhost")
_property.set_is_cname()

# The driver looks at each character of a statement with values, one by one, for the placeholders of a style:
# a third of the processor time of the checks. Where the style's mark is not in it there are none.
_convert = redshift_connector.core.convert_paramstyle


def _convert_if_needed(style: str, query: str) -> tuple[str, Any]:
    if MARKS.get(style, "") in query:
        return _convert(style, query)
    return query, lambda values: values


redshift_connector.core.convert_paramstyle = _convert_if_needed

# Tasks are work in bulk: as they wake up they push nobody aside. Nor does the process that watches a task
# push it aside just as it ends, which cost a second (docs/airflow.md). Linux alone has this: sched(7).
if hasattr(os, "SCHED_BATCH"):
    with suppress(OSError):  # a container may forbid it
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))

# What is here stays. Collecting garbage in a task would look at all of it, and copy the pages it lies on.
gc.freeze()
