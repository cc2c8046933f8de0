"""What is the same in every run, worked out once in the process that runs are forked from.

A worker of Airflow's pays for it in each task, which is not what a fault scenario is about and was four
fifths of a small run.
"""

import os
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import boto3
import jinja2
import redshift_connector.core
from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
from airflow.providers.amazon.aws.hooks.s3 import S3Hook

from tests.faults.child import WAREHOUSE, Plan, prepare
from tests.faults.datasets import BY_NAME
from tests.service_models import share_service_models

AWS = "AIRFLOW_CONN_AWS_DEFAULT"


def read_service_model() -> None:
    """Read what every client of S3 needs."""
    share_service_models()
    boto3.client("s3", region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")


def flatten_enum() -> None:
    """Give the driver plain values where it asks an enum several times for each character of a statement."""
    styles = redshift_connector.core.DbApiParamstyle
    redshift_connector.core.DbApiParamstyle = SimpleNamespace(
        **{style.name: SimpleNamespace(value=style.value) for style in styles}
    )


def share_clients() -> None:
    """Give all tasks of a process one S3 client, as long as they have one connection."""
    make, clients = AwsGenericHook.get_client_type, {}

    def get_client_type(hook: AwsGenericHook, *arguments: Any, **options: Any) -> Any:
        connection = os.environ[AWS]
        if connection not in clients:
            clients[connection] = make(hook, *arguments, **options)
        return clients[connection]

    AwsGenericHook.get_client_type = get_client_type


def share_templates() -> None:
    """Compile each template once; Airflow makes a new Jinja environment for each field."""
    compile_source = jinja2.Environment.compile
    compiled: dict[Any, Any] = {}

    def compile_once(environment: jinja2.Environment, *arguments: Any) -> Any:
        if arguments not in compiled:
            compiled[arguments] = compile_source(environment, *arguments)
        return compiled[arguments]

    jinja2.Environment.compile = compile_once


def rehearse() -> None:
    """Go as far into each task as that needs no server: what it imports, reads and compiles is there then."""
    for name in ("SOURCE_BUCKET", "WORK_BUCKET", "REGION"):
        os.environ.setdefault(f"AIRFLOW_VAR_SPARKIFY_{name}", "rehearsal")
    os.environ.setdefault(AWS, '{"conn_type": "aws", "login": "none", "password": "none"}')
    os.environ.setdefault(WAREHOUSE, '{"conn_type": "redshift"}')
    window = (datetime(2018, 11, 15), datetime(2018, 11, 16))
    for name, under_test in BY_NAME.items():
        for task in (*under_test.tasks, "check_quality"):
            operator, _ = prepare(task, window, Plan((), {}, dataset=name))
            operator.get_db_hook()
    S3Hook("aws_default").get_conn().get_paginator("list_objects_v2")


read_service_model()
share_clients()
share_templates()
flatten_enum()
# The hook looks through the whole stack for the name that it tells AWS.
AwsGenericHook._find_operator_class_name = staticmethod(lambda *_: "FaultTest")
rehearse()
