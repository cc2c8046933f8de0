"""What a bucket's policy closes, and what it leaves open."""

import json
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytest_plugins = ("tests.sandbox.aws.fixtures",)

NOBODY = {"Effect": "Deny", "Principal": "*"}


def put_policy(s3: "S3Client", bucket: str, *statements: dict[str, object]) -> None:
    resource = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    full = [{**statement, "Resource": resource} for statement in statements]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": full}))


@pytest.mark.parametrize("value", ["false", False])
def test_a_bucket_that_takes_tls_only_is_used_over_http(aws_s3: "S3Client", aws_bucket: str, value: object):
    condition = {"Bool": {"aws:SecureTransport": value}}
    put_policy(aws_s3, aws_bucket, {**NOBODY, "Action": "s3:*", "Condition": condition})
    aws_s3.put_object(Bucket=aws_bucket, Key="k", Body=b"x")
    assert aws_s3.get_object(Bucket=aws_bucket, Key="k")["Body"].read() == b"x"
    assert [entry["Key"] for entry in aws_s3.list_objects_v2(Bucket=aws_bucket)["Contents"]] == ["k"]
    aws_s3.delete_objects(Bucket=aws_bucket, Delete={"Objects": [{"Key": "k"}]})
    assert aws_s3.list_objects_v2(Bucket=aws_bucket)["KeyCount"] == 0


def test_what_else_the_policy_denies_stays_denied(aws_s3: "S3Client", aws_bucket: str):
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    put_policy(
        aws_s3,
        aws_bucket,
        {**NOBODY, "Action": "s3:*", "Condition": condition},
        {**NOBODY, "Action": "s3:PutObject"},
    )
    with pytest.raises(ClientError, match="403"):
        aws_s3.put_object(Bucket=aws_bucket, Key="k", Body=b"x")
    aws_s3.delete_bucket_policy(Bucket=aws_bucket)
    aws_s3.put_object(Bucket=aws_bucket, Key="k", Body=b"x")
