"""What is answered from the store beside moto is what moto answers: status, headers and body."""

import http.client
import itertools
import json
import re
import threading
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from sandbox.aws.durable_s3 import DurableS3
from sandbox.aws.reads import Reads
from tests.sandbox.aws.client import body, keys, md5
from tests.sandbox.aws.clusters import World
from tests.sandbox.aws.faults import AwsFaults

pytest_plugins = ("tests.sandbox.aws.cluster_fixtures",)

_numbers = itertools.count()
PLAIN, BIG = b"0123456789", b"abcdefgh" * 40_000
PART = b"p" * (5 * 1024 * 1024)


@pytest.fixture(scope="module")
def bucket(world: World) -> str:
    """A bucket with objects of every kind."""
    s3, name = world.client("s3"), f"reads-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="plain", Body=PLAIN)
    s3.put_object(Bucket=name, Key="empty", Body=b"")
    s3.put_object(Bucket=name, Key="big", Body=BIG)
    s3.put_object(Bucket=name, Key="sum", Body=PLAIN, ChecksumAlgorithm="SHA256")
    s3.put_object(
        Bucket=name,
        Key="a/told/ünï cødé+%",
        Body=PLAIN,
        ContentType="application/json",
        ContentEncoding="gzip",
        CacheControl="no-store",
        Metadata={"Author": "me", "a_b": "c"},
        StorageClass="STANDARD_IA",
        Tagging="a=b&c=d",
        ServerSideEncryption="AES256",
    )
    upload = s3.create_multipart_upload(Bucket=name, Key="parts", ChecksumAlgorithm="CRC32")["UploadId"]
    given = {"Bucket": name, "Key": "parts", "UploadId": upload}
    parts = [
        {
            "PartNumber": number,
            "ETag": s3.upload_part(PartNumber=number, Body=content, **given)["ETag"],
        }
        for number, content in ((1, PART), (2, b"end"))
    ]
    s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **given)
    s3.copy_object(Bucket=name, Key="copy", CopySource={"Bucket": name, "Key": "parts"})
    return name


def send(world: World, method: str, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a signed request."""
    settings = world.settings
    address = f"127.0.0.1:{settings.aws_port}"
    request = AWSRequest(method, f"http://{address}{path}", headers=headers)
    credentials = Credentials(settings.aws_access_key_id, settings.aws_secret_access_key)
    S3SigV4Auth(credentials, "s3", settings.region).add_auth(request)
    connection = http.client.HTTPConnection(address)
    try:
        connection.request(method, path, headers=dict(request.headers.items()))
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    told = {name.lower(): value for name, value in answer.getheaders()}
    told.pop("x-amzn-requestid", None)
    return answer.status, told, re.sub(rb"<RequestId>.*?</RequestId>", b"", content)


RANGES = [
    "0-0",
    "2-5",
    "5-",
    "-3",
    "-0",
    "-99",
    "0-",
    "0-99999999",
    "9-9",
    "900-",
    "5-2",
    "1-2,4-5",
    "x-y",
    "-",
]
CONDITIONS = [
    {},
    {"x-amz-checksum-mode": "ENABLED"},
    {"If-Match": '"781e5e245d69b566979b86e28d23f2c7"'},
    {"If-Match": '"nothing"'},
    {"If-None-Match": '"781e5e245d69b566979b86e28d23f2c7"'},
    {"If-None-Match": '"nothing"'},
    {"If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"},
    {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
    {"If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"},
    {"x-amz-expected-bucket-owner": "123456789012"},
    {"x-amz-expected-bucket-owner": "999999999999"},
    {"x-amz-checksum-mode": "ENABLED", "Range": "bytes=2-5"},
    {"If-Match": '"nothing"', "Range": "bytes=2-5"},
    *({"Range": f"bytes={text}"} for text in RANGES),
]
OBJECTS = [
    "plain",
    "empty",
    "big",
    "sum",
    "a/told/%C3%BCn%C3%AF%20c%C3%B8d%C3%A9%2B%25",
    "parts",
    "copy",
    "missing",
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("key", OBJECTS)
def test_an_object_is_the_same_from_disk_and_from_moto(
    world: World, bucket: str, method: str, key: str, monkeypatch: pytest.MonkeyPatch
):
    ours = [send(world, method, f"/{bucket}/{key}", headers) for headers in CONDITIONS]
    monkeypatch.setattr(Reads, "_answer", lambda *_: None)
    monkeypatch.setattr(DurableS3, "_stream", lambda *_: None)
    assert ours == [send(world, method, f"/{bucket}/{key}", headers) for headers in CONDITIONS]


@pytest.mark.parametrize(
    "query",
    [
        "versionId=null",
        "response-content-type=text/plain",
        "tagging=",
        "acl=",
        "partNumber=1",
        "x-id=GetObject",
        "attributes=",
    ],
)
def test_other_questions_about_an_object_are_motos(
    world: World, bucket: str, query: str, monkeypatch: pytest.MonkeyPatch
):
    headers = {"x-amz-object-attributes": "ETag,ObjectSize"} if query == "attributes=" else {}
    ours = send(world, "GET", f"/{bucket}/plain?{query}", headers)
    monkeypatch.setattr(Reads, "_answer", lambda *_: None)
    assert ours == send(world, "GET", f"/{bucket}/plain?{query}", headers)


def test_objects_of_a_versioned_bucket_are_the_same(
    world: World, bucket: str, monkeypatch: pytest.MonkeyPatch
):
    s3, name = world.client("s3"), f"reads-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=name, Key="k", Body=b"one")["VersionId"]
    s3.put_object(Bucket=name, Key="k", Body=b"two")
    s3.put_object(Bucket=name, Key="gone", Body=b"x")
    s3.delete_object(Bucket=name, Key="gone")
    asked = [
        (method, f"/{name}/{key}")
        for method in ("GET", "HEAD")
        for key in ("k", f"k?versionId={first}", "gone", "gone?versionId=nope")
    ]
    ours = [send(world, *one, {}) for one in asked]
    assert (ours[0][2], ours[1][2]) == (b"two", b"one")
    monkeypatch.setattr(Reads, "_answer", lambda *_: None)
    assert ours == [send(world, *one, {}) for one in asked]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"Prefix": "a/"},
        {"Prefix": "p"},
        {"Prefix": "nothing"},
        {"MaxKeys": 3},
        {"StartAfter": "copy"},
        {"StartAfter": "parts", "Prefix": "p"},
        {"EncodingType": "url"},
        {"FetchOwner": True},
        {"Delimiter": "/"},
        {"Delimiter": "/", "Prefix": "a/"},
    ],
)
def test_lists_are_the_same_from_disk_and_from_moto(
    world: World, bucket: str, arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    def listed() -> dict[str, Any]:
        found = world.client("s3").list_objects_v2(Bucket=bucket, **arguments)
        found.pop("ResponseMetadata")
        token = found.pop("NextContinuationToken", None)
        return found | {"more": token is not None}

    ours = listed()
    monkeypatch.setattr("sandbox.aws.listing._page", lambda _: None)
    assert ours == listed()


def test_pages_hold_every_key_once_in_the_order_of_its_bytes(world: World):
    s3, name = world.client("s3"), f"reads-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    wanted = ["A", "B/1", "a", "a b", "a+", "z", "é", "歌", "\U0001f3b5"]
    for key in wanted[::-1]:
        s3.put_object(Bucket=name, Key=key, Body=b"x")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=name, PaginationConfig={"PageSize": 2})
    assert [entry["Key"] for page in pages for entry in page["Contents"]] == wanted
    s3.delete_object(Bucket=name, Key="a")
    assert keys(s3, name) == [key for key in wanted if key != "a"]


def test_reads_go_on_while_a_change_waits(world: World, bucket: str, monkeypatch: pytest.MonkeyPatch):
    s3, held, going = world.client("s3"), threading.Event(), threading.Event()
    change = DurableS3._change

    def slow(layer: DurableS3, environ: Any, start_response: Any) -> Any:
        with layer._lock:
            going.set()
            assert held.wait(20)
        return change(layer, environ, start_response)

    monkeypatch.setattr(DurableS3, "_change", slow)
    writer = threading.Thread(target=lambda: s3.put_object(Bucket=bucket, Key="late", Body=b"x"))
    writer.start()
    try:
        assert going.wait(20)
        assert body(world.client("s3"), bucket, "plain") == PLAIN
        assert world.client("s3").head_object(Bucket=bucket, Key="big")["ContentLength"] == len(BIG)
        assert "plain" in keys(world.client("s3"), bucket)
    finally:
        held.set()
        writer.join()
    s3.delete_object(Bucket=bucket, Key="late")


def test_faults_and_permissions_hold_for_reads(world: World, bucket: str, faults: AwsFaults):
    s3 = world.client("s3")
    faults.error("s3", "GetObject", "SlowDown", status=503, Key="plain")
    with pytest.raises(ClientError, match="SlowDown"):
        s3.get_object(Bucket=bucket, Key="plain")
    assert body(s3, bucket, "plain") == PLAIN
    assert "s3:GetObject" in faults.actions()


def test_a_bucket_policy_still_denies(world: World):
    s3, name = world.client("s3"), f"reads-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{name}/*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    s3.put_bucket_policy(Bucket=name, Policy=document)
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket=name, Key="k")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_large_copies_and_parts_of_copies_have_their_bytes(world: World, bucket: str):
    s3 = world.client("s3")
    assert body(s3, bucket, "copy") == PART + b"end"
    told = s3.head_object(Bucket=bucket, Key="copy")
    assert told["ETag"] == f'"{md5(PART + b"end")}"'
    upload = s3.create_multipart_upload(Bucket=bucket, Key="joined")["UploadId"]
    given = {"Bucket": bucket, "Key": "joined", "UploadId": upload}
    source = {"Bucket": bucket, "Key": "parts"}
    parts = [
        {
            "PartNumber": number,
            "ETag": s3.upload_part_copy(
                CopySource=source, CopySourceRange=f"bytes={first}-{last}", PartNumber=number, **given
            )["CopyPartResult"]["ETag"],
        }
        for number, first, last in ((1, 0, len(PART) - 1), (2, 1, len(PART) + 2))
    ]
    s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **given)
    assert body(s3, bucket, "joined") == PART + PART[1:] + b"end"
    s3.delete_object(Bucket=bucket, Key="joined")
    assert body(s3, bucket, "parts") == PART + b"end"


@pytest.mark.parametrize("content", [PLAIN, BIG])
def test_an_archived_object_is_not_read(world: World, bucket: str, content: bytes):
    s3 = world.client("s3")
    s3.put_object(Bucket=bucket, Key="archived", Body=content, StorageClass="GLACIER")
    with pytest.raises(ClientError, match="InvalidObjectState"):
        s3.get_object(Bucket=bucket, Key="archived")
    s3.delete_object(Bucket=bucket, Key="archived")
