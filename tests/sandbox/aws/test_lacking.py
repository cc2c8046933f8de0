"""Operations that the sandbox has not are refused by name, and with a status that no client tries again."""

import time
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from sandbox.parts.parts import Aws
from sandbox.parts.settings import Settings

pytest_plugins = ("tests.sandbox.aws.fixtures",)

ID = "1b2c3d4e-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def aws_settings(sandbox: Settings) -> Settings:
    """The session's own server does."""
    return sandbox


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "code"),
    [
        ("redshift", "reboot_cluster", {"ClusterIdentifier": "c"}, "InvalidAction"),
        ("redshift", "describe_usage_limits", {}, "InvalidAction"),
        ("iam", "change_password", {"OldPassword": "a" * 9, "NewPassword": "b" * 9}, "InvalidAction"),
        ("sts", "decode_authorization_message", {"EncodedMessage": "m"}, "InvalidAction"),
        ("ec2", "describe_instance_topology", {}, "InvalidAction"),
        ("sns", "subscribe", {"TopicArn": "arn:aws:sns:us-east-1:1:t", "Protocol": "http"}, "InvalidAction"),
        (
            *("secretsmanager", "validate_resource_policy"),
            *({"ResourcePolicy": "{}"}, "UnknownOperationException"),
        ),
        ("redshift-serverless", "list_endpoint_access", {}, "UnknownOperationException"),
        ("redshift-data", "get_statement_result_v2", {"Id": ID}, "UnknownOperationException"),
        ("s3", "get_bucket_request_payment", {"Bucket": "sparkify-raw"}, "NotImplemented"),
        (
            *("s3", "rename_object"),
            *({"Bucket": "sparkify-raw", "Key": "k", "RenameSource": "/sparkify-raw/a"}, "NotImplemented"),
        ),
    ],
)
def test_what_is_not_there_is_refused_at_once(
    aws: Aws, service: str, operation: str, arguments: dict[str, Any], code: str
):
    settings = aws.settings
    # With boto3's own retries, as everybody has them.
    api = boto3.client(
        service,
        aws_access_key_id=settings.aws_access_key_id,
        aws_secret_access_key=settings.aws_secret_access_key,
        endpoint_url=settings.aws_endpoint_url,
        region_name=settings.region,
    )
    began = time.monotonic()
    with pytest.raises(ClientError) as caught:
        getattr(api, operation)(**arguments)
    assert time.monotonic() - began < 5
    assert caught.value.response["Error"]["Code"] == code
    told = caught.value.response["ResponseMetadata"]
    assert (told["HTTPStatusCode"], told["RetryAttempts"]) == (400, 0)
    assert operation.replace("_", "") in caught.value.response["Error"]["Message"].lower() or service == "sns"
