"""What the tests of the AWS API server do with it."""

import hashlib
from typing import TYPE_CHECKING, Any

import boto3
import psutil
from botocore.config import Config

from sandbox.parts.parts import Aws
from sandbox.parts.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ONE_ATTEMPT = Config(retries={"total_max_attempts": 1}, read_timeout=20)


def client(settings: Settings, service: str, **changes: str) -> Any:
    arguments = {
        "aws_access_key_id": settings.aws_access_key_id,
        "aws_secret_access_key": settings.aws_secret_access_key,
        "endpoint_url": settings.aws_endpoint_url,
        "region_name": settings.region,
    }
    return boto3.client(service, **{**arguments, **changes}, config=ONE_ATTEMPT)


def keys(s3: "S3Client", bucket: str) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def body(s3: "S3Client", bucket: str, key: str) -> bytes:
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def kill_and_restart(server: Aws) -> None:
    family = server.find()
    assert family
    for process in family:
        process.kill()
    psutil.wait_procs(family, timeout=10)
    server.start()
    server.wait()
