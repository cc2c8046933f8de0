"""What a request to the AWS API server has to prove, and what the server refuses from anybody."""

import base64
import hashlib
import json
import socket
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.parts.parts import Aws
from tests.sandbox.aws.client import client, keys
from tests.security.raw_http import Signed, answer_of, connected, exchange, head, leftovers, refused, status

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytest_plugins = ("tests.sandbox.aws.fixtures", "tests.security.aws_fixtures")

MB = 1_000_000


@pytest.fixture
def aws(aws_server: Aws) -> Aws:
    return aws_server


# Signatures


@pytest.mark.parametrize("minutes", [-16, 16, -600])
@pytest.mark.parametrize("service", ["s3", "iam"])
def test_a_request_is_of_this_quarter_of_an_hour(aws: Aws, service: str, minutes: int):
    request = Signed(aws.settings, service=service, at=datetime.now(UTC) + timedelta(minutes=minutes))
    answer = refused(aws.settings, request)
    words = "Signature expired" if minutes < 0 else "Signature not yet current"
    assert ("RequestTimeTooSkewed" if service == "s3" else words) in answer


@pytest.mark.parametrize("minutes", [-14, 14])
def test_clocks_may_differ_by_less(aws: Aws, minutes: int):
    request = Signed(aws.settings, at=datetime.now(UTC) + timedelta(minutes=minutes))
    with connected(aws.settings) as peer:
        peer.sendall(request.head)
        assert status(answer_of(peer)) == 200


def test_the_date_of_the_scope_is_the_requests(aws: Aws):
    assert "Invalid credential date" in refused(aws.settings, Signed(aws.settings, date="20200101"))


@pytest.mark.parametrize(
    "name", ["host", "x-amz-date", "x-amz-content-sha256", "x-amz-acl", "x-amz-copy-source"]
)
def test_what_decides_must_be_signed(aws: Aws, name: str):
    more = {name: "/a/b"} if name in {"x-amz-acl", "x-amz-copy-source"} else {}
    request = Signed(aws.settings, "PUT", "/sparkify-raw/k", more, unsigned=(name,))
    assert f"not signed: {name}" in refused(aws.settings, request)


def test_a_signed_request_does_not_hold_for_other_headers_than_it_had(aws: Aws):
    request = Signed(aws.settings, "PUT", "/sparkify-raw/k", {"content-length": "0"})
    request.head = request.head.replace(b"\r\n\r\n", b"\r\nx-amz-tagging: a=b\r\n\r\n")
    assert "not signed: x-amz-tagging" in refused(aws.settings, request)


@pytest.mark.parametrize("value", ["", "UNSIGNED", "x" * 64, "A" * 64, "STREAMING-NOTHING"])
def test_a_payload_hash_is_one(aws: Aws, value: str):
    assert "InvalidArgument" in refused(
        aws.settings, Signed(aws.settings, headers={"x-amz-content-sha256": value})
    )


def test_only_s3_takes_unsigned_bodies(aws: Aws):
    headers = {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    assert "InvalidArgument" in refused(
        aws.settings, Signed(aws.settings, "POST", headers=headers, service="iam")
    )


@pytest.mark.parametrize(("seconds", "code"), [(0, 400), (-1, 400), (604_801, 400), (604_800, 200)])
def test_a_presigned_url_is_good_for_a_week_at_most(
    aws: Aws, aws_s3: "S3Client", aws_bucket: str, seconds: int, code: int
):
    aws_s3.put_object(Bucket=aws_bucket, Key="k", Body=b"x")
    signing = boto3.client(
        "s3",
        endpoint_url=aws.settings.aws_endpoint_url,
        aws_access_key_id=aws.settings.aws_access_key_id,
        aws_secret_access_key=aws.settings.aws_secret_access_key,
        region_name=aws.settings.region,
        config=Config(signature_version="s3v4"),
    )
    url = signing.generate_presigned_url("get_object", {"Bucket": aws_bucket, "Key": "k"}, ExpiresIn=seconds)
    path = url.removeprefix(aws.settings.aws_endpoint_url)
    answer = exchange(aws.settings, head(aws.settings, "GET", path, Connection="close"))
    assert status(answer) == code


def test_a_temporary_key_needs_its_token(aws: Aws):
    arn = "arn:aws:iam::123456789012:role/sparkify-redshift"
    issued = client(aws.settings, "sts").assume_role(RoleArn=arn, RoleSessionName="somebody")["Credentials"]
    half = {"aws_access_key_id": issued["AccessKeyId"], "aws_secret_access_key": issued["SecretAccessKey"]}
    for token in ({}, {"aws_session_token": "made up"}):
        with pytest.raises(ClientError, match="InvalidToken"):
            client(aws.settings, "s3", **half, **token).list_buckets()


def test_an_inactive_key_is_refused(aws: Aws):
    iam = client(aws.settings, "iam")
    iam.create_user(UserName="someone")
    issued = iam.create_access_key(UserName="someone")["AccessKey"]
    half = {"aws_access_key_id": issued["AccessKeyId"], "aws_secret_access_key": issued["SecretAccessKey"]}
    document = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": document})
    iam.put_user_policy(UserName="someone", PolicyName="p", PolicyDocument=policy)
    client(aws.settings, "s3", **half).list_buckets()
    iam.update_access_key(UserName="someone", AccessKeyId=issued["AccessKeyId"], Status="Inactive")
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        client(aws.settings, "s3", **half).list_buckets()


# Bodies in chunks


def chunked(request: Signed, chunks: list[bytes], *, broken: int | None = None) -> bytes:
    previous, sent = request.signature, b""
    nothing = hashlib.sha256().hexdigest()
    for number, chunk in enumerate([*chunks, b""]):
        lines = ("AWS4-HMAC-SHA256-PAYLOAD", request.stamp, request.scope, previous, nothing)
        previous = request.sign("\n".join((*lines, hashlib.sha256(chunk).hexdigest())))
        data = chunk if number != broken else b"x" * len(chunk)
        sent += f"{len(chunk):x};chunk-signature={previous}\r\n".encode() + data + b"\r\n"
    return sent


def streaming(aws: Aws, path: str, chunks: list[bytes], *, broken: int | None = None) -> bytes:
    size = sum(map(len, chunks))
    length = sum(len(f"{len(chunk):x}") + 83 + len(chunk) + 2 for chunk in (*chunks, b""))
    headers = {
        "content-encoding": "aws-chunked",
        "content-length": str(length),
        "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "x-amz-decoded-content-length": str(size),
    }
    request = Signed(aws.settings, "PUT", path, headers)
    with connected(aws.settings) as peer:
        peer.sendall(request.head + chunked(request, chunks, broken=broken))
        return answer_of(peer)


@pytest.mark.parametrize("chunk", [b"a" * 65536, b"b" * MB])
def test_each_chunk_of_a_signed_stream_is_checked(
    aws: Aws, aws_s3: "S3Client", aws_bucket: str, chunk: bytes
):
    assert status(streaming(aws, f"/{aws_bucket}/good", [chunk, b"end"])) == 200
    found = aws_s3.get_object(Bucket=aws_bucket, Key="good")
    assert found["Body"].read() == chunk + b"end"
    assert "ContentEncoding" not in found
    answer = streaming(aws, f"/{aws_bucket}/bad", [chunk, b"end"], broken=1)
    assert status(answer) == 403
    assert keys(aws_s3, aws_bucket) == ["good"]


@pytest.mark.parametrize("coded", [False, True])
@pytest.mark.parametrize("right", [True, False])
def test_the_checksum_after_an_unsigned_stream_is_checked(
    aws: Aws, aws_s3: "S3Client", aws_bucket: str, *, coded: bool, right: bool
):
    content = b"hello" * 1000
    crc = base64.b64encode(zlib.crc32(content if right else b"").to_bytes(4)).decode()
    body = (
        f"{len(content):x}\r\n".encode() + content + f"\r\n0\r\nx-amz-checksum-crc32:{crc}\r\n\r\n".encode()
    )
    headers = {
        "content-encoding": "aws-chunked",
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": str(len(content)),
        "x-amz-trailer": "x-amz-checksum-crc32",
    }
    if coded:
        headers["transfer-encoding"] = "chunked"
        body = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    else:
        headers["content-length"] = str(len(body))
    request = Signed(aws.settings, "PUT", f"/{aws_bucket}/k", headers, unsigned=("transfer-encoding",))
    with connected(aws.settings) as peer:
        peer.sendall(request.head + body)
        answer = answer_of(peer)
    assert status(answer) == (200 if right else 400)
    assert keys(aws_s3, aws_bucket) == (["k"] if right else [])


@pytest.mark.parametrize(
    "body", [b"zz\r\n", b"-5\r\n", b"ffffffffffffffff\r\n", b"5\r\nhelloXX", b"5" * 3000]
)
def test_malformed_chunks_are_refused(aws: Aws, aws_s3: "S3Client", aws_bucket: str, body: bytes):
    headers = {
        "content-length": str(len(body)),
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": "5",
    }
    chunked = {name: value for name, value in headers.items() if name != "content-length"}
    chunked["transfer-encoding"] = "chunked"
    for more in (headers, {**headers, "content-length": "0"}, chunked):
        request = Signed(aws.settings, "PUT", f"/{aws_bucket}/k", more, unsigned=("transfer-encoding",))
        with connected(aws.settings) as peer:
            peer.sendall(request.head + body)
            peer.shutdown(socket.SHUT_WR)
            answer = answer_of(peer)
        assert not answer or status(answer) == 400
    assert keys(aws_s3, aws_bucket) == []
    assert leftovers(aws) == []


# What is served


@pytest.mark.parametrize("service", ["lambda", "sqs", "batch", "dynamodb", "events", "s3control", "moto_api"])
def test_services_that_are_not_the_sandboxes_are_refused_by_name(aws: Aws, service: str):
    answer = refused(aws.settings, Signed(aws.settings, "POST", service=service))
    assert f"signed for '{service}'" in answer.replace("&#x27;", "'")


@pytest.mark.parametrize("service", ["s3", "iam", "ec2", "redshift"])
@pytest.mark.parametrize(
    "path", ["/moto-api/reset", "/moto-api/data.json", "/moto-api/state-manager/set-transition", "/moto-api"]
)
def test_motos_own_pages_are_reached_with_no_signature(
    aws: Aws, aws_s3: "S3Client", aws_bucket: str, service: str, path: str
):
    request = Signed(aws.settings, "POST", path, {"connection": "close"}, service=service)
    answer = exchange(aws.settings, request.head)
    assert b"reset" not in answer.lower() or status(answer) >= 400
    assert status(exchange(aws.settings, head(aws.settings, "POST", path))) == 403
    assert aws_bucket in [entry["Name"] for entry in aws_s3.list_buckets()["Buckets"]]


def test_no_header_leads_to_another_account(aws: Aws):
    request = Signed(aws.settings, headers={"x-moto-account-id": "999999999999", "connection": "close"})
    assert b"sparkify-raw" in exchange(aws.settings, request.head)


def test_the_health_page_tells_only_that_the_server_runs(aws: Aws):
    answer = exchange(aws.settings, head(aws.settings, path="/_sandbox/health"))
    assert set(json.loads(answer.partition(b"\r\n\r\n")[2])) == {"status", "pid"}
    assert status(
        exchange(aws.settings, head(aws.settings, "POST", "/_sandbox/health", Content_Length="9"))
    ) in {
        200,
        403,
    }


# Documents


LAUGHS = '<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><d>&b;</d>'


@pytest.mark.parametrize(
    ("method", "query"),
    [
        ("POST", "?delete"),
        ("PUT", "?tagging"),
        ("PUT", "?lifecycle"),
        ("PUT", "/k?tagging"),
        ("POST", "/k?uploadId=x"),
    ],
)
@pytest.mark.parametrize("document", [LAUGHS, "<a>" * 50_000, LAUGHS.encode("utf-16")])
def test_documents_that_unfold_or_have_no_bottom_are_refused(
    aws: Aws, aws_bucket: str, method: str, query: str, document: str | bytes
):
    body = document if isinstance(document, bytes) else document.encode()
    headers = {"content-length": str(len(body))}
    request = Signed(aws.settings, method, f"/{aws_bucket}{query}", headers, body=body)
    with connected(aws.settings) as peer:
        peer.sendall(request.head + body)
        answer = answer_of(peer)
    assert status(answer) == 400
    assert b"MalformedXML" in answer


def test_json_without_a_bottom_is_refused(aws: Aws):
    body = b"[" * 500_000
    headers = {
        "content-length": str(len(body)),
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "secretsmanager.CreateSecret",
    }
    request = Signed(aws.settings, "POST", headers=headers, service="secretsmanager", body=body)
    with connected(aws.settings) as peer:
        peer.sendall(request.head + body)
        assert status(answer_of(peer)) == 400


def test_compressed_calls_are_refused(aws: Aws):
    headers = {"content-encoding": "gzip", "connection": "close"}
    request = Signed(aws.settings, "POST", headers=headers, service="iam")
    assert status(exchange(aws.settings, request.head)) == 415


# Keys


@pytest.mark.parametrize(
    "key", ["a/../b", "a/./b", "./a", "a/b/../../c", "a/..", "a.", "..a", "a%2Fb", "u\u0308"]
)
def test_a_key_is_kept_byte_for_byte(aws_s3: "S3Client", aws_bucket: str, key: str):
    aws_s3.put_object(Bucket=aws_bucket, Key=key, Body=b"x")
    aws_s3.copy_object(Bucket=aws_bucket, Key=f"copy/{key}", CopySource={"Bucket": aws_bucket, "Key": key})
    assert sorted(keys(aws_s3, aws_bucket)) == sorted([key, f"copy/{key}"])
    assert aws_s3.get_object(Bucket=aws_bucket, Key=f"copy/{key}")["Body"].read() == b"x"
    aws_s3.delete_object(Bucket=aws_bucket, Key=key)
    assert keys(aws_s3, aws_bucket) == [f"copy/{key}"]


@pytest.mark.parametrize("key", ["../a", "a/../../b", "/../a", "..", "../../../../../../etc/passwd"])
def test_a_key_that_leads_out_of_its_bucket_is_refused_for_that(
    aws: Aws, aws_s3: "S3Client", aws_bucket: str, key: str
):
    before = {path for path in aws.settings.home.rglob("*") if path.is_file() and "bodies" not in path.parts}
    with pytest.raises(ClientError, match="leads out of the bucket"):
        aws_s3.put_object(Bucket=aws_bucket, Key=key, Body=b"x" * MB)
    after = {path for path in aws.settings.home.rglob("*") if path.is_file() and "bodies" not in path.parts}
    assert before == after


def test_a_key_has_1024_bytes_at_most(aws_s3: "S3Client", aws_bucket: str):
    aws_s3.put_object(Bucket=aws_bucket, Key="ü" * 512, Body=b"x")
    with pytest.raises(ClientError, match="KeyTooLongError"):
        aws_s3.put_object(Bucket=aws_bucket, Key="ü" * 512 + "x", Body=b"x")


@pytest.mark.parametrize("name", ["..", ".", "%2e%2e", "a%2F..%2Fb", "A_B", "-a"])
def test_a_bucket_has_no_name_that_leads_elsewhere(aws: Aws, aws_s3: "S3Client", name: str):
    request = Signed(aws.settings, "PUT", f"/{name}", {"connection": "close"})
    assert 400 <= status(exchange(aws.settings, request.head)) < 500
    assert name not in [entry["Name"] for entry in aws_s3.list_buckets()["Buckets"]]
