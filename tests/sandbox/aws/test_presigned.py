"""URLs of Signature Version 2, as boto3 and `aws s3 presign` make them where nobody says otherwise."""

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import urllib3

from sandbox.parts.parts import Aws
from sandbox.parts.settings import Settings
from tests.sandbox.aws.client import body, client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytest_plugins = ("tests.sandbox.aws.fixtures",)

Presign = Callable[..., str]


@pytest.fixture(scope="module")
def aws_settings(sandbox: Settings) -> Settings:
    """The session's own server does."""
    return sandbox


@pytest.fixture
def presign(aws: Aws) -> Presign:
    """boto3's own URLs, of an operation with parameters."""
    api = plain_client(aws)

    def url(operation: str, seconds: int = 60, **parameters: Any) -> str:
        return api.generate_presigned_url(operation, Params=parameters, ExpiresIn=seconds)

    return url


def plain_client(aws: Aws, **changes: Any) -> "S3Client":
    settings = aws.settings
    given = {
        "aws_access_key_id": settings.aws_access_key_id,
        "aws_secret_access_key": settings.aws_secret_access_key,
        "endpoint_url": settings.aws_endpoint_url,
        "region_name": settings.region,
    }
    return boto3.client("s3", **{**given, **changes})


def code(answer: Any) -> str:
    return re.findall(b"<Code>(.*?)</Code>", answer.data)[0].decode()


def test_a_plain_url_gets_and_puts_an_object(aws_s3: "S3Client", aws_bucket: str, presign: Presign):
    url = presign("put_object", Bucket=aws_bucket, Key="a b/ü+.txt")
    assert "AWSAccessKeyId=" in url
    assert urllib3.request("PUT", url, body=b"hello").status == 200
    assert body(aws_s3, aws_bucket, "a b/ü+.txt") == b"hello"
    url = presign("get_object", Bucket=aws_bucket, Key="a b/ü+.txt")
    assert urllib3.request("GET", url).data == b"hello"
    assert urllib3.request("GET", url, headers={"Range": "bytes=1-2"}).data == b"el"
    named = presign(
        "get_object", Bucket=aws_bucket, Key="a b/ü+.txt", ResponseContentDisposition="attachment; filename=x"
    )
    assert urllib3.request("GET", named).headers["Content-Disposition"] == "attachment; filename=x"
    url = presign("list_objects_v2", Bucket=aws_bucket)
    assert b"<KeyCount>1</KeyCount>" in urllib3.request("GET", url).data
    assert urllib3.request("GET", presign("get_object", Bucket=aws_bucket, Key="none")).status == 404


def test_what_was_not_signed_is_refused(aws_s3: "S3Client", aws_bucket: str, presign: Presign):
    aws_s3.put_object(Bucket=aws_bucket, Key="k", Body=b"hello")
    url = presign("get_object", Bucket=aws_bucket, Key="k")
    changed = [
        urllib3.request("PUT", url, body=b"x"),
        urllib3.request("DELETE", url),
        urllib3.request("GET", url.replace("/k?", "/other?")),
        urllib3.request("GET", url.replace("Expires=", "Expires=9")),
        urllib3.request("GET", f"{url}&versionId=null"),
        urllib3.request("GET", f"{url}&x-amz-acl=public-read"),
        urllib3.request("GET", url, headers={"x-amz-acl": "public-read"}),
        urllib3.request("GET", re.sub("Signature=[^&]*", "Signature=x", url)),
    ]
    assert [(answer.status, code(answer)) for answer in changed] == [(403, "SignatureDoesNotMatch")] * 8
    twice = urllib3.request("GET", f"{url}&Expires=99999999999")
    assert (twice.status, code(twice)) == (400, "AuthorizationHeaderMalformed")
    assert body(aws_s3, aws_bucket, "k") == b"hello"


def test_a_url_ends_when_it_says(aws_s3: "S3Client", aws_bucket: str, presign: Presign):
    aws_s3.put_object(Bucket=aws_bucket, Key="k", Body=b"hello")
    url = presign("get_object", 1, Bucket=aws_bucket, Key="k")
    end = int(re.findall("Expires=([0-9]+)", url)[0])
    while time.time() <= end:
        time.sleep(0.05)
    answer = urllib3.request("GET", url)
    assert (answer.status, code(answer)) == (403, "AccessDenied")
    assert b"Request has expired" in answer.data


def test_a_temporary_key_makes_urls_with_its_token(aws: Aws, aws_s3: "S3Client", aws_bucket: str):
    aws_s3.put_object(Bucket=aws_bucket, Key="k", Body=b"hello")
    iam, sts = client(aws.settings, "iam"), client(aws.settings, "sts")
    trust = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": '
        '{"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}]}'
    )
    role = iam.create_role(RoleName=aws_bucket, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    taken = sts.assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    api = plain_client(
        aws,
        aws_access_key_id=taken["AccessKeyId"],
        aws_secret_access_key=taken["SecretAccessKey"],
        aws_session_token=taken["SessionToken"],
    )
    url = api.generate_presigned_url("get_object", Params={"Bucket": aws_bucket, "Key": "k"})
    refused = urllib3.request("GET", url)
    assert (refused.status, code(refused)) == (403, "AccessDenied")
    iam.attach_role_policy(RoleName=aws_bucket, PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    assert urllib3.request("GET", url).data == b"hello"
    without = urllib3.request("GET", re.sub("&x-amz-security-token=[^&]*", "", url))
    assert (without.status, code(without)) == (403, "InvalidToken")


def test_a_header_of_version_2_is_refused(aws: Aws):
    headers = {"Authorization": f"AWS {aws.settings.aws_access_key_id}:c2lnbmF0dXJl"}
    assert urllib3.request("GET", aws.settings.aws_endpoint_url + "/", headers=headers).status == 400
