"""The AWS clients of the pipeline."""

import inspect

import pytest

from sparkify.aws import Aws
from sparkify.s3.client import make_s3_client


@pytest.mark.parametrize("service", ["s3", "iam", "ec2", "redshift", "serverless", "secrets", "a load's"])
def test_a_client_names_its_caller_without_reading_the_call_stack(sandbox, monkeypatch, service):
    monkeypatch.setattr(inspect, "stack", None)
    aws = Aws("aws_default", "us-east-1")
    client = make_s3_client("aws_default") if service == "a load's" else getattr(aws, service)
    assert "Caller/Sparkify" in client.meta.config.user_agent_extra
