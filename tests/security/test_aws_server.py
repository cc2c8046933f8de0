"""The AWS API server against clients that have no key, and against requests that mean harm."""

import base64
import hashlib
import json
import select
import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.aws import connections
from sandbox.parts import Aws
from sandbox.settings import Settings
from tests.sandbox.aws_client import client, keys
from tests.security.raw_http import Signed, answer_of, connected, exchange, head

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytest_plugins = ("tests.sandbox.aws_fixtures",)

MB = 1_000_000
GIB = 1024**3


@pytest.fixture(scope="module")
def aws(aws_settings: Settings) -> Aws:
    part = Aws(aws_settings)
    part.start()
    part.wait()
    return part


def memory(aws: Aws) -> float:
    """How many MB the server holds now."""
    return float(aws.find()[0].memory_info().rss) / MB


def peak(aws: Aws) -> float:
    """How many MB it has held at most since `forget_peak`."""
    text = Path(f"/proc/{aws.find()[0].pid}/status").read_text()
    return int(text.partition("VmHWM:")[2].split()[0]) * 1024 / MB


def forget_peak(aws: Aws) -> None:
    Path(f"/proc/{aws.find()[0].pid}/clear_refs").write_text("5")


def leftovers(aws: Aws) -> list[Path]:
    return list((aws.settings.home / "s3" / "incoming").iterdir())


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


# Bodies


def test_a_body_without_a_signature_is_not_kept(aws: Aws, aws_s3: "S3Client"):
    forget_peak(aws)
    before = memory(aws)
    with connected(aws.settings) as peer:
        peer.sendall(head(aws.settings, "PUT", "/sparkify-raw/k", Content_Length=str(200 * MB)))
        answer = answer_of(peer)  # before a single byte of the body is sent
        with pytest.raises((ConnectionError, TimeoutError)):  # noqa: PT012 - any of them fails
            for _ in range(200):
                peer.sendall(bytes(MB))
    assert status(answer) == 403
    assert b"Connection: close" in answer
    assert peak(aws) < before + 50
    assert keys(aws_s3, "sparkify-raw") == []


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("authorization", "AWS4-HMAC-SHA256 Credential=AKIA/20260101/r/s3/aws4_request", 400),
        ("x_amz_content_sha256", "0" * 64, 403),
    ],
)
def test_a_wrong_signature_is_refused_before_the_client_sends_the_body(
    aws: Aws, name: str, value: str, code: int
):
    answer = exchange(
        aws.settings,
        head(aws.settings, "PUT", "/b/k", Expect="100-continue", Content_Length="999999999", **{name: value}),
    )
    assert status(answer) == code


def test_a_refused_client_that_goes_on_sending_still_sees_why(aws: Aws):
    answer = exchange(
        aws.settings, head(aws.settings, "PUT", "/b/k", Content_Length="500000") + bytes(500_000)
    )
    assert status(answer) == 403
    assert b"AccessDenied" in answer


def test_a_body_that_is_not_the_signed_one_is_refused(aws: Aws, aws_s3: "S3Client", aws_bucket: str):
    for size in (10, 2 * MB):
        request = Signed(
            aws.settings, "PUT", f"/{aws_bucket}/k", {"content-length": str(size)}, body=bytes(size)
        )
        with connected(aws.settings) as peer:
            peer.sendall(request.head + bytes(size - 1) + b"x")
            answer = answer_of(peer)
        assert status(answer) == 400
        assert b"XAmzContentSHA256Mismatch" in answer
    assert keys(aws_s3, aws_bucket) == []
    assert leftovers(aws) == []


def test_a_body_that_breaks_off_leaves_nothing(aws: Aws, aws_s3: "S3Client", aws_bucket: str):
    body = bytes(5 * MB)
    request = Signed(aws.settings, "PUT", f"/{aws_bucket}/k", {"content-length": str(len(body))}, body=body)
    with connected(aws.settings) as peer:
        peer.sendall(request.head + body[: 3 * MB])
    until(lambda: leftovers(aws) == [])
    assert keys(aws_s3, aws_bucket) == []


def until(condition: Any, seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("method", "path", "service", "size"),
    [
        ("PUT", "/b/k", "s3", 5 * GIB + 1),
        ("PUT", "/b?policy", "s3", 5 * MB),
        ("POST", "/b?delete", "s3", 5 * MB),
        ("POST", "/", "iam", 2 * MB),
        ("POST", "/", "secretsmanager", 2 * MB),
    ],
)
def test_a_body_longer_than_any_the_service_takes_is_refused_unread(
    aws: Aws, method: str, path: str, service: str, size: int
):
    request = Signed(aws.settings, method, path, {"content-length": str(size)}, service=service)
    with connected(aws.settings) as peer:
        peer.sendall(request.head)
        assert status(answer_of(peer)) in {400, 413}


def test_large_objects_go_through_the_server_without_filling_it(
    aws: Aws, aws_s3: "S3Client", aws_bucket: str
):
    body = bytes(range(256)) * 400_000
    forget_peak(aws)
    before = memory(aws)
    aws_s3.put_object(Bucket=aws_bucket, Key="k", Body=body)
    found = aws_s3.get_object(Bucket=aws_bucket, Key="k")
    assert found["Body"].read() == body
    assert found["ETag"] == f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
    part = aws_s3.get_object(Bucket=aws_bucket, Key="k", Range="bytes=1000000-2000000")
    assert part["Body"].read() == body[1_000_000:2_000_001]
    assert part["ContentRange"] == f"bytes 1000000-2000000/{len(body)}"
    assert peak(aws) < before + 60


@pytest.mark.parametrize(
    ("given", "first", "last"),
    [("bytes=-5", -5, None), ("bytes=599990-", 599_990, None), ("bytes=0-0", 0, 1)],
)
def test_ranges_of_a_large_object(
    aws_s3: "S3Client", aws_bucket: str, given: str, first: int, last: int | None
):
    body = bytes(range(250)) * 2400
    aws_s3.put_object(Bucket=aws_bucket, Key="k", Body=body)
    assert aws_s3.get_object(Bucket=aws_bucket, Key="k", Range=given)["Body"].read() == body[first:last]


def test_conditions_hold_for_a_large_object(aws_s3: "S3Client", aws_bucket: str):
    etag = aws_s3.put_object(Bucket=aws_bucket, Key="k", Body=bytes(MB))["ETag"]
    for condition, code in (
        ({"IfMatch": '"x"'}, 412),
        ({"IfNoneMatch": etag}, 304),
        ({"Range": "bytes=9999999-"}, 416),
    ):
        with pytest.raises(ClientError) as caught:
            aws_s3.get_object(Bucket=aws_bucket, Key="k", **condition)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == code


def test_parts_that_were_given_up_leave_no_file(aws: Aws, aws_s3: "S3Client", aws_bucket: str):
    upload = aws_s3.create_multipart_upload(Bucket=aws_bucket, Key="k")["UploadId"]
    for _ in range(2):
        aws_s3.upload_part(Bucket=aws_bucket, Key="k", UploadId=upload, PartNumber=1, Body=bytes(MB))
    assert len(leftovers(aws)) == 1
    aws_s3.abort_multipart_upload(Bucket=aws_bucket, Key="k", UploadId=upload)
    until(lambda: leftovers(aws) == [])


# Signatures


def refused(aws: Aws, request: Signed) -> str:
    with connected(aws.settings) as peer:
        peer.sendall(request.head)
        answer = answer_of(peer)
    assert status(answer) in {400, 403}, answer
    return answer.decode()


@pytest.mark.parametrize("minutes", [-16, 16, -600])
@pytest.mark.parametrize("service", ["s3", "iam"])
def test_a_request_is_of_this_quarter_of_an_hour(aws: Aws, service: str, minutes: int):
    request = Signed(aws.settings, service=service, at=datetime.now(UTC) + timedelta(minutes=minutes))
    answer = refused(aws, request)
    words = "Signature expired" if minutes < 0 else "Signature not yet current"
    assert ("RequestTimeTooSkewed" if service == "s3" else words) in answer


@pytest.mark.parametrize("minutes", [-14, 14])
def test_clocks_may_differ_by_less(aws: Aws, minutes: int):
    request = Signed(aws.settings, at=datetime.now(UTC) + timedelta(minutes=minutes))
    with connected(aws.settings) as peer:
        peer.sendall(request.head)
        assert status(answer_of(peer)) == 200


def test_the_date_of_the_scope_is_the_requests(aws: Aws):
    assert "Invalid credential date" in refused(aws, Signed(aws.settings, date="20200101"))


@pytest.mark.parametrize(
    "name", ["host", "x-amz-date", "x-amz-content-sha256", "x-amz-acl", "x-amz-copy-source"]
)
def test_what_decides_must_be_signed(aws: Aws, name: str):
    more = {name: "/a/b"} if name in {"x-amz-acl", "x-amz-copy-source"} else {}
    request = Signed(aws.settings, "PUT", "/sparkify-raw/k", more, unsigned=(name,))
    assert f"not signed: {name}" in refused(aws, request)


def test_a_signed_request_does_not_hold_for_other_headers_than_it_had(aws: Aws):
    request = Signed(aws.settings, "PUT", "/sparkify-raw/k", {"content-length": "0"})
    request.head = request.head.replace(b"\r\n\r\n", b"\r\nx-amz-tagging: a=b\r\n\r\n")
    assert "not signed: x-amz-tagging" in refused(aws, request)


@pytest.mark.parametrize("value", ["", "UNSIGNED", "x" * 64, "A" * 64, "STREAMING-NOTHING"])
def test_a_payload_hash_is_one(aws: Aws, value: str):
    assert "InvalidArgument" in refused(aws, Signed(aws.settings, headers={"x-amz-content-sha256": value}))


def test_only_s3_takes_unsigned_bodies(aws: Aws):
    headers = {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    assert "InvalidArgument" in refused(aws, Signed(aws.settings, "POST", headers=headers, service="iam"))


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
    for more in (headers, {**headers, "content-length": "0"}):
        request = Signed(aws.settings, "PUT", f"/{aws_bucket}/k", more)
        with connected(aws.settings) as peer:
            peer.sendall(request.head + body)
            peer.shutdown(socket.SHUT_WR)
            answer = answer_of(peer)
        assert not answer or status(answer) == 400
    assert keys(aws_s3, aws_bucket) == []
    assert leftovers(aws) == []


# HTTP


@pytest.mark.parametrize(
    "lines",
    [
        b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: -1",
        b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1x",
        b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: +1",
        b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2",
        b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1",
        b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
        b"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked",
        b"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        b"GET / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked",
        b"GET / HTTP/1.1\r\nHost: h\r\nHost: i",
        b"GET / HTTP/1.1\r\nx: y",
        b"GET / HTTP/1.1\r\nHost: h\r\n folded: yes",
        b"GET / HTTP/1.1\r\nHost : h",
        b"GET / HTTP/1.1\r\nHost: h\r\nno colon",
        b"GET / HTTP/1.1\r\nHost: h\r\nx: a\x00b",
        b"GET / HTTP/2.0\r\nHost: h",
        b"GET /",
        b"GET http://127.0.0.1/ HTTP/1.1\r\nHost: h",
        b"GET /a b HTTP/1.1\r\nHost: h",
        b"GET /\x1b[31m HTTP/1.1\r\nHost: h",
        b"GET /a#b HTTP/1.1\r\nHost: h",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: h",
        b"GET / HTTP/1.1\r\nHost: h\r\nx: " + b"a" * 9000,
        b"GET / HTTP/1.1\r\nHost: h" + b"\r\nx: y" * 101,
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(aws: Aws, lines: bytes):
    answer = exchange(aws.settings, lines + b"\r\n\r\nGET /_sandbox/health HTTP/1.1\r\nHost: h\r\n\r\n")
    assert status(answer) == 400
    assert answer.count(b"HTTP/1.1") == 1
    assert b"Connection: close" in answer


def test_what_follows_a_refused_request_is_no_request(aws: Aws):
    inner = head(aws.settings, "GET", "/_sandbox/health")
    answer = exchange(aws.settings, head(aws.settings, "POST", "/", Content_Length=str(len(inner))) + inner)
    assert answer.count(b"HTTP/1.1") == 1


def test_malformed_requests_are_lines_and_no_tracebacks_in_the_log(aws: Aws):
    before = len(aws.log.read_text())
    for _ in range(50):
        exchange(aws.settings, b"\x00\xff\r\n\r\n")
        with connected(aws.settings) as peer:
            peer.sendall(b"GET / HTTP/1.1\r\nHost")
    written = aws.log.read_text()[before:]
    assert "Traceback" not in written
    assert written.count("\n") < 10


# Connections


@pytest.fixture
def crowd(aws: Aws) -> Iterator[list[socket.socket]]:
    """Three hundred connections with half a request each."""
    with ExitStack() as stack:
        peers = [stack.enter_context(connected(aws.settings)) for _ in range(300)]
        for peer in peers:
            peer.sendall(b"GET / HTTP/1.1\r\nHo")
        yield peers


def test_half_requests_leave_room_for_whole_ones(
    aws: Aws, aws_s3: "S3Client", aws_bucket: str, crowd: list[socket.socket]
):
    assert aws.find()[0].num_threads() < connections.STRANGERS + 30
    started = time.monotonic()
    for _ in range(10):
        client(aws.settings, "s3").put_object(Bucket=aws_bucket, Key="k", Body=b"x")
    assert time.monotonic() - started < 10
    assert crowd[0].recv(1) == b""  # the oldest had to go


def test_a_known_client_keeps_its_connection_in_a_crowd(aws: Aws, aws_s3: "S3Client"):
    request = Signed(aws.settings)
    with connected(aws.settings) as known, ExitStack() as stack:
        known.sendall(request.head)
        assert status(answer_of(known)) == 200
        for _ in range(150):
            stack.enter_context(connected(aws.settings)).sendall(b"GET")
        known.sendall(request.head)
        assert status(answer_of(known)) == 200


def test_clients_that_trickle_are_closed_in_time(aws: Aws):
    started = time.monotonic()
    with ExitStack() as stack:
        peers = [stack.enter_context(connected(aws.settings)) for _ in range(3)]
        for peer, first in zip(peers, (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: h\r\nx: "), strict=True):
            peer.sendall(first)
        while peers:
            readable, _, _ = select.select(peers, [], [], 0.5)
            peers = [peer for peer in peers if peer not in readable]
            for peer in peers[1:]:
                peer.sendall(b"a")
            assert time.monotonic() - started < connections.HEAD_SECONDS + 4
    assert time.monotonic() - started > connections.HEAD_SECONDS - 2


# What is served


@pytest.mark.parametrize(
    "service", ["lambda", "sns", "sqs", "batch", "dynamodb", "events", "s3control", "moto_api"]
)
def test_services_that_are_not_the_sandboxes_are_refused_by_name(aws: Aws, service: str):
    answer = refused(aws, Signed(aws.settings, "POST", service=service))
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
