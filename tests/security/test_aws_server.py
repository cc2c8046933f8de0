"""The AWS API server against clients that have no key, and against what is no HTTP."""

import hashlib
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from sandbox.aws import connections
from sandbox.parts.parts import Aws
from tests.sandbox.aws.client import client, keys
from tests.security.raw_http import Signed, answer_of, connected, exchange, head, leftovers, status, until

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytest_plugins = ("tests.sandbox.aws.fixtures", "tests.security.aws_fixtures")

MB = 1_000_000
GIB = 1024**3


@pytest.fixture
def aws(aws_server: Aws) -> Aws:
    return aws_server


def memory(aws: Aws) -> float:
    """How many MB the server holds now."""
    return float(aws.find()[0].memory_info().rss) / MB


def peak(aws: Aws) -> float:
    """How many MB it has held at most since `forget_peak`."""
    text = Path(f"/proc/{aws.find()[0].pid}/status").read_text()
    return int(text.partition("VmHWM:")[2].split()[0]) * 1024 / MB


def forget_peak(aws: Aws) -> None:
    Path(f"/proc/{aws.find()[0].pid}/clear_refs").write_text("5")


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
