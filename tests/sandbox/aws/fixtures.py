"""An AWS API server of a test module's own."""

import random
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from sandbox.parts.parts import Aws
from sandbox.parts.settings import Settings
from tests.sandbox.aws.client import client, keys

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture(scope="module")
def aws_settings(new_settings: Callable[[], Settings]) -> Settings:
    return new_settings()


@pytest.fixture
def aws(aws_settings: Settings) -> Aws:
    part = Aws(aws_settings)
    if not part.is_healthy():
        part.start()
        part.wait()
    return part


@pytest.fixture
def aws_s3(aws: Aws) -> "S3Client":
    return client(aws.settings, "s3")


@pytest.fixture
def aws_bucket(aws_s3: "S3Client") -> Iterator[str]:
    """An empty bucket, removed again."""
    name = f"test-{random.randrange(10**9)}"
    aws_s3.create_bucket(Bucket=name)
    yield name
    if name in [entry["Name"] for entry in aws_s3.list_buckets()["Buckets"]]:
        for key in keys(aws_s3, name):
            aws_s3.delete_object(Bucket=name, Key=key)
        aws_s3.delete_bucket(Bucket=name)
