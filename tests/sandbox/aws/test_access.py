"""Who may use the AWS API aws, and what it starts with."""

import http.client
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
import psutil
import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.parts.parts import Aws
from sandbox.parts.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

from tests.sandbox.aws.client import client, keys

pytest_plugins = ("tests.sandbox.aws.fixtures",)


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("s3", "list_buckets", "InvalidAccessKeyId"),
        ("iam", "list_roles", "InvalidClientTokenId"),
        ("ec2", "describe_vpcs", "InvalidClientTokenId"),
        ("redshift", "describe_clusters", "InvalidClientTokenId"),
        ("secretsmanager", "list_secrets", "InvalidClientTokenId"),
    ],
)
def test_an_unknown_access_key_is_refused_by_every_service(aws: Aws, service: str, operation: str, code: str):
    stranger = client(aws.settings, service, aws_access_key_id="AKIAWRONG")
    with pytest.raises(ClientError) as caught:
        getattr(stranger, operation)()
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert "python -m sandbox env" in str(caught.value)


@pytest.mark.parametrize("service", ["s3", "iam", "ec2", "redshift", "secretsmanager"])
def test_a_wrong_secret_is_refused_by_every_service(aws: Aws, service: str):
    operation = {
        "s3": "list_buckets",
        "iam": "list_roles",
        "ec2": "describe_vpcs",
        "redshift": "describe_clusters",
        "secretsmanager": "list_secrets",
    }[service]
    with pytest.raises(ClientError) as caught:
        getattr(client(aws.settings, service, aws_secret_access_key="wrong"), operation)()
    assert caught.value.response["Error"]["Code"] == "SignatureDoesNotMatch"
    getattr(client(aws.settings, service), operation)()


def test_a_refused_upload_changes_nothing(aws_s3: "S3Client", aws_bucket: str, aws: Aws):
    stranger = client(aws.settings, "s3", aws_secret_access_key="wrong")
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        stranger.put_object(Bucket=aws_bucket, Key="k", Body=b"x" * 3_000_000)
    assert keys(aws_s3, aws_bucket) == []


@pytest.mark.parametrize("path", ["/", "/sparkify-raw", "/moto-api/reset", "/latest/meta-data/"])
def test_nobody_is_served_anonymously(aws: Aws, path: str):
    answer = urllib3.request("GET", aws.settings.aws_endpoint_url + path)
    assert answer.status == 403
    assert b"AccessDenied" in answer.data


def test_an_unreadable_signature_is_a_bad_request(aws: Aws):
    headers = {"Authorization": "AWS4-HMAC-SHA256 nonsense"}
    answer = urllib3.request("GET", aws.settings.aws_endpoint_url + "/", headers=headers)
    assert answer.status == 400
    assert b"AuthorizationHeaderMalformed" in answer.data


def presign(settings: Settings, bucket: str, key: str, seconds: int) -> str:
    signer = boto3.client(
        "s3",
        endpoint_url=settings.aws_endpoint_url,
        aws_access_key_id=settings.aws_access_key_id,
        aws_secret_access_key=settings.aws_secret_access_key,
        region_name=settings.region,
        config=Config(signature_version="s3v4"),
    )
    return signer.generate_presigned_url("get_object", {"Bucket": bucket, "Key": key}, ExpiresIn=seconds)


def test_a_presigned_url_works_for_what_it_was_signed_for(
    aws_s3: "S3Client", aws_bucket: str, aws_settings: Settings
):
    aws_s3.put_object(Bucket=aws_bucket, Key="a b/ü.json", Body=b"hello")
    aws_s3.put_object(Bucket=aws_bucket, Key="other", Body=b"secret")
    url = presign(aws_settings, aws_bucket, "a b/ü.json", 60)

    assert urllib3.request("GET", url).data == b"hello"
    assert urllib3.request("GET", url.replace("a%20b/%C3%BC.json", "other")).status == 403


def test_an_expired_presigned_url_is_refused(
    aws_s3: "S3Client", aws_bucket: str, aws_settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    aws_s3.put_object(Bucket=aws_bucket, Key="k", Body=b"hello")
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_: an_hour_ago)
    answer = urllib3.request("GET", presign(aws_settings, aws_bucket, "k", 3599))
    assert answer.status == 403
    assert b"expired" in answer.data


def test_credentials_handed_out_by_sts_are_accepted(aws: Aws):
    sts = client(aws.settings, "sts")
    arn = "arn:aws:iam::123456789012:role/sparkify-redshift"
    issued = sts.assume_role(RoleArn=arn, RoleSessionName="copy")["Credentials"]
    assumed = client(
        aws.settings,
        "s3",
        aws_access_key_id=issued["AccessKeyId"],
        aws_secret_access_key=issued["SecretAccessKey"],
        aws_session_token=issued["SessionToken"],
    )
    assert "sparkify-raw" in [entry["Name"] for entry in assumed.list_buckets()["Buckets"]]


def test_a_foreign_host_name_is_refused(aws: Aws):
    connection = http.client.HTTPConnection("127.0.0.1", aws.port, timeout=10)
    connection.request("GET", "/", headers={"Host": f"rebound.example:{aws.port}"})
    assert connection.getresponse().status == 400


def test_it_listens_on_this_machine_only(aws: Aws):
    listening = [c for c in aws.find()[0].net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert [(c.laddr.ip, c.laddr.port) for c in listening] == [("127.0.0.1", aws.port)]


def test_the_secret_is_on_no_command_line_and_in_no_log(aws: Aws, aws_s3: "S3Client"):
    with pytest.raises(ClientError):
        aws_s3.get_object(Bucket="sparkify-raw", Key="missing")
    words = " ".join(aws.find()[0].cmdline())
    assert aws.settings.aws_secret_access_key not in words + aws.log.read_text()


def test_the_buckets_and_the_role_of_the_pipeline_exist_from_the_start(aws: Aws, aws_s3: "S3Client"):
    names = [entry["Name"] for entry in aws_s3.list_buckets()["Buckets"]]
    assert {"sparkify-raw", "sparkify-work"} <= set(names)
    role = client(aws.settings, "iam").get_role(RoleName="sparkify-redshift")["Role"]
    assert role["Arn"].endswith(":role/sparkify-redshift")
