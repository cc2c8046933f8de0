"""What is the same in every run, worked out once in the process that runs are forked from.

A worker of Airflow's pays for it in each task, which is not what a fault scenario is about and was four
fifths of a small run.
"""

import os
from types import SimpleNamespace
from typing import Any

# Airflow's hooks import them when they first connect.
import airflow.providers.amazon.aws.hooks.redshift_sql
import airflow.providers.amazon.aws.hooks.s3  # noqa: F401
import boto3
import botocore.loaders
import botocore.session
import jinja2
import redshift_connector.core
from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook


def share_service_models() -> None:
    """Let all sessions share what botocore reads from its JSON files."""
    loader = botocore.loaders.create_loader()
    botocore.session.create_loader = lambda *_: loader
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
        connection = os.environ["AIRFLOW_CONN_AWS_DEFAULT"]
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


share_service_models()
share_clients()
share_templates()
flatten_enum()
# The hook looks through the whole stack for the name that it tells AWS.
AwsGenericHook._find_operator_class_name = staticmethod(lambda *_: "FaultTest")
