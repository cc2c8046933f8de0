"""The AWS API server: who may use it, and what it still knows after it was killed."""

import hashlib
import http.client
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any

import boto3
import psutil
import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.parts import Aws
from sandbox.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ONE_ATTEMPT = Config(retries={"total_max_attempts": 1}, read_timeout=20)


@pytest.fixture(scope="module")
def settings(new_settings: Callable[[], Settings]) -> Settings:
    return new_settings()


@pytest.fixture
def server(settings: Settings) -> Aws:
    part = Aws(settings)
    if not part.is_healthy():
        part.start()
        part.wait()
    return part


def client(settings: Settings, service: str, **changes: str) -> Any:
    arguments = {
        "aws_access_key_id": settings.aws_access_key_id,
        "aws_secret_access_key": settings.aws_secret_access_key,
        "endpoint_url": settings.aws_endpoint_url,
        "region_name": settings.region,
    }
    return boto3.client(service, **{**arguments, **changes}, config=ONE_ATTEMPT)


@pytest.fixture
def s3(server: Aws) -> "S3Client":
    return client(server.settings, "s3")


@pytest.fixture
def bucket(s3: "S3Client") -> Iterator[str]:
    """An empty bucket, removed again."""
    name = f"test-{random.randrange(10**9)}"
    s3.create_bucket(Bucket=name)
    yield name
    if name in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]:
        for key in keys(s3, name):
            s3.delete_object(Bucket=name, Key=key)
        s3.delete_bucket(Bucket=name)


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


# Who may use it


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
def test_an_unknown_access_key_is_refused_by_every_service(
    server: Aws, service: str, operation: str, code: str
):
    stranger = client(server.settings, service, aws_access_key_id="AKIAWRONG")
    with pytest.raises(ClientError) as caught:
        getattr(stranger, operation)()
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert "python -m sandbox env" in str(caught.value)


@pytest.mark.parametrize("service", ["s3", "iam", "ec2", "redshift", "secretsmanager"])
def test_a_wrong_secret_is_refused_by_every_service(server: Aws, service: str):
    operation = {
        "s3": "list_buckets",
        "iam": "list_roles",
        "ec2": "describe_vpcs",
        "redshift": "describe_clusters",
        "secretsmanager": "list_secrets",
    }[service]
    with pytest.raises(ClientError) as caught:
        getattr(client(server.settings, service, aws_secret_access_key="wrong"), operation)()
    assert caught.value.response["Error"]["Code"] == "SignatureDoesNotMatch"
    getattr(client(server.settings, service), operation)()


def test_a_refused_upload_changes_nothing(s3: "S3Client", bucket: str, server: Aws):
    stranger = client(server.settings, "s3", aws_secret_access_key="wrong")
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        stranger.put_object(Bucket=bucket, Key="k", Body=b"x" * 3_000_000)
    assert keys(s3, bucket) == []


@pytest.mark.parametrize("path", ["/", "/sparkify-raw", "/moto-api/reset", "/latest/meta-data/"])
def test_nobody_is_served_anonymously(server: Aws, path: str):
    answer = urllib3.request("GET", server.settings.aws_endpoint_url + path)
    assert answer.status == 403
    assert b"AccessDenied" in answer.data


def test_an_unreadable_signature_is_a_bad_request(server: Aws):
    headers = {"Authorization": "AWS4-HMAC-SHA256 nonsense"}
    answer = urllib3.request("GET", server.settings.aws_endpoint_url + "/", headers=headers)
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


def test_a_presigned_url_works_for_what_it_was_signed_for(s3: "S3Client", bucket: str, settings: Settings):
    s3.put_object(Bucket=bucket, Key="a b/ü.json", Body=b"hello")
    s3.put_object(Bucket=bucket, Key="other", Body=b"secret")
    url = presign(settings, bucket, "a b/ü.json", 60)

    assert urllib3.request("GET", url).data == b"hello"
    assert urllib3.request("GET", url.replace("a%20b/%C3%BC.json", "other")).status == 403


def test_an_expired_presigned_url_is_refused(s3: "S3Client", bucket: str, settings: Settings):
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    answer = urllib3.request("GET", presign(settings, bucket, "k", -1))
    assert answer.status == 403
    assert b"expired" in answer.data


def test_credentials_handed_out_by_sts_are_accepted(server: Aws):
    sts = client(server.settings, "sts")
    arn = "arn:aws:iam::123456789012:role/sparkify-redshift"
    issued = sts.assume_role(RoleArn=arn, RoleSessionName="copy")["Credentials"]
    assumed = client(
        server.settings,
        "s3",
        aws_access_key_id=issued["AccessKeyId"],
        aws_secret_access_key=issued["SecretAccessKey"],
        aws_session_token=issued["SessionToken"],
    )
    assert "sparkify-raw" in [entry["Name"] for entry in assumed.list_buckets()["Buckets"]]


def test_a_foreign_host_name_is_refused(server: Aws):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/", headers={"Host": f"rebound.example:{server.port}"})
    assert connection.getresponse().status == 400


def test_it_listens_on_this_machine_only(server: Aws):
    listening = [c for c in server.find()[0].net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert [(c.laddr.ip, c.laddr.port) for c in listening] == [("127.0.0.1", server.port)]


def test_the_secret_is_on_no_command_line_and_in_no_log(server: Aws, s3: "S3Client"):
    with pytest.raises(ClientError):
        s3.get_object(Bucket="sparkify-raw", Key="missing")
    words = " ".join(server.find()[0].cmdline())
    assert server.settings.aws_secret_access_key not in words + server.log.read_text()


# What it starts with


def test_the_buckets_and_the_role_of_the_pipeline_exist_from_the_start(server: Aws, s3: "S3Client"):
    names = [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
    assert {"sparkify-raw", "sparkify-work"} <= set(names)
    role = client(server.settings, "iam").get_role(RoleName="sparkify-redshift")["Role"]
    assert role["Arn"].endswith(":role/sparkify-redshift")


# Listings


@pytest.fixture
def catalogue(s3: "S3Client", bucket: str) -> list[str]:
    """The sorted keys of a bucket with something to list."""
    names = [f"a/{number:03}" for number in range(25)] + ["a", "a/ü &<b>.json", "a/+%2F", "b/1", "a-1"]
    for name in names:
        s3.put_object(Bucket=bucket, Key=name, Body=name.encode())
    return sorted(names)


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("prefix", ["", "a", "a/", "a/ü &", "b/1", "c"])
def test_a_listing_gives_every_key_once_and_in_order(
    s3: "S3Client", bucket: str, catalogue: list[str], prefix: str, size: int
):
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=prefix, PaginationConfig={"PageSize": size}
    )
    found = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    assert found == [name for name in catalogue if name.startswith(prefix)]


@pytest.mark.parametrize("prefix", ["", "a/", "a/ü &", "c"])
def test_a_plain_listing_tells_what_motos_own_does(
    s3: "S3Client", bucket: str, catalogue: list[str], prefix: str
):
    plain = s3.list_objects_v2(Bucket=bucket, Prefix=prefix)
    moto = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter="|")
    for name in ("Contents", "KeyCount", "MaxKeys", "IsTruncated", "Name", "Prefix", "EncodingType"):
        assert plain.get(name) == moto.get(name)


def test_a_listing_starts_after_a_key(s3: "S3Client", bucket: str, catalogue: list[str]):
    after = s3.list_objects_v2(Bucket=bucket, StartAfter="a/020", Delimiter="")
    assert [entry["Key"] for entry in after["Contents"]] == [name for name in catalogue if name > "a/020"]


def test_a_listing_with_a_delimiter_gives_folders(s3: "S3Client", bucket: str, catalogue: list[str]):
    found = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert [entry["Prefix"] for entry in found["CommonPrefixes"]] == ["a/", "b/"]
    assert [entry["Key"] for entry in found["Contents"]] == ["a", "a-1"]


def test_a_listing_of_a_missing_bucket_is_refused(s3: "S3Client"):
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.list_objects_v2(Bucket="no-such-bucket")


# What it still knows after it was killed

AWKWARD_KEYS = [
    "plain.json",
    "log_data/2018/11/2018-11-12-events.json",
    "a b+c%20d.json",
    "ünïcødé/歌.json",
    "case",
    "CASE",
    "double//slash",
    "/leading",
    "folder/",
    "dots/../up",
    "quote'\"&<>?#",
    "x" * 1000,
]


@pytest.mark.parametrize("key", AWKWARD_KEYS)
def test_every_key_can_be_written_read_and_listed(s3: "S3Client", bucket: str, key: str):
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert body(s3, bucket, key) == key.encode()
    assert keys(s3, bucket) == [key]


def test_awkward_keys_survive_a_kill(server: Aws, s3: "S3Client", bucket: str):
    for key in AWKWARD_KEYS:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())

    kill_and_restart(server)

    assert keys(s3, bucket) == sorted(AWKWARD_KEYS)
    assert [body(s3, bucket, key) for key in AWKWARD_KEYS] == [key.encode() for key in AWKWARD_KEYS]


def test_everything_s3_tells_about_an_object_survives_a_kill(server: Aws, s3: "S3Client", bucket: str):
    s3.put_object(
        Bucket=bucket,
        Key="k",
        Body=b"hello",
        ContentType="application/json",
        ContentEncoding="gzip",
        Metadata={"Author": "me", "a_b": "c"},
        ChecksumAlgorithm="SHA256",
    )
    before = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")

    kill_and_restart(server)

    after = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    for answer in (before, after):
        del answer["ResponseMetadata"]
    assert after == before
    assert after["ETag"] == f'"{md5(b"hello")}"'
    assert after["ContentType"] == "application/json"


def test_last_modified_of_a_listing_survives_a_kill(server: Aws, s3: "S3Client", bucket: str):
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    before = s3.list_objects_v2(Bucket=bucket)["Contents"]

    kill_and_restart(server)

    assert s3.list_objects_v2(Bucket=bucket)["Contents"] == before


def test_a_multipart_upload_survives_a_kill_with_its_etag(server: Aws, s3: "S3Client", bucket: str):
    parts = [b"a" * 5 * 1024 * 1024, b"b" * 1000]
    upload = s3.create_multipart_upload(Bucket=bucket, Key="big", ContentType="text/plain")["UploadId"]
    etags = [
        s3.upload_part(Bucket=bucket, Key="big", UploadId=upload, PartNumber=number, Body=part)["ETag"]
        for number, part in enumerate(parts, start=1)
    ]
    finished = s3.complete_multipart_upload(
        Bucket=bucket,
        Key="big",
        UploadId=upload,
        MultipartUpload={"Parts": [{"ETag": etag, "PartNumber": n} for n, etag in enumerate(etags, 1)]},
    )
    assert finished["ETag"].endswith('-2"')

    kill_and_restart(server)

    found = s3.get_object(Bucket=bucket, Key="big")
    assert found["Body"].read() == b"".join(parts)
    assert found["ETag"] == finished["ETag"]
    assert found["ContentType"] == "text/plain"


def test_an_unfinished_multipart_upload_makes_no_object(server: Aws, s3: "S3Client", bucket: str):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="big")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="big", UploadId=upload, PartNumber=1, Body=b"part")

    kill_and_restart(server)

    assert keys(s3, bucket) == []


def test_copies_replacements_and_deletions_survive_a_kill(server: Aws, s3: "S3Client", bucket: str):
    for key in ("source", "replaced", "deleted", "many-1", "many-2"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "source"})
    s3.put_object(Bucket=bucket, Key="replaced", Body=b"new")
    s3.delete_object(Bucket=bucket, Key="deleted")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "many-1"}, {"Key": "many-2"}]})

    kill_and_restart(server)

    found = {key: body(s3, bucket, key) for key in keys(s3, bucket)}
    assert found == {"source": b"source", "copy": b"source", "replaced": b"new"}


def test_a_deleted_bucket_stays_deleted(server: Aws, s3: "S3Client", bucket: str):
    created = {entry["Name"]: entry["CreationDate"] for entry in s3.list_buckets()["Buckets"]}
    s3.delete_bucket(Bucket=bucket)

    kill_and_restart(server)

    after = {entry["Name"]: entry["CreationDate"] for entry in s3.list_buckets()["Buckets"]}
    assert after == {name: date for name, date in created.items() if name != bucket}


def test_removed_objects_leave_no_file_behind(server: Aws, s3: "S3Client", bucket: str):
    bodies = server.settings.home / "s3" / "bodies"
    before = {path for path in bodies.rglob("*") if path.is_file()}
    for number in range(5):
        s3.put_object(Bucket=bucket, Key="again", Body=str(number).encode())
    assert len([path for path in bodies.rglob("*") if path.is_file()]) == len(before) + 1

    s3.delete_object(Bucket=bucket, Key="again")

    assert {path for path in bodies.rglob("*") if path.is_file()} == before


def test_a_body_whose_row_was_never_written_is_swept_at_the_start(server: Aws):
    orphan = server.settings.home / "s3" / "bodies" / "zz" / "zzz"
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"written, then killed")

    kill_and_restart(server)

    assert not orphan.exists()


def test_concurrent_writers_lose_nothing(server: Aws, s3: "S3Client", bucket: str):
    expected = {f"k{number % 40}": b"" for number in range(200)}

    def put(number: int) -> None:
        s3.put_object(Bucket=bucket, Key=f"k{number % 40}", Body=f"k{number % 40}".encode() * 50)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(200)))
    kill_and_restart(server)

    assert set(keys(s3, bucket)) == set(expected)
    assert all(body(s3, bucket, key) == key.encode() * 50 for key in expected)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_sequence_of_changes_is_found_again(server: Aws, s3: "S3Client", bucket: str, seed: int):
    chance = random.Random(seed)
    expected: dict[str, bytes] = {}
    for step in range(60):
        key, other = (f"{chance.choice('abc')}/{chance.randrange(6)}" for _ in range(2))
        match chance.choice(["put", "put", "copy", "delete", "many"]):
            case "put":
                expected[key] = f"{seed}-{step}".encode()
                s3.put_object(Bucket=bucket, Key=key, Body=expected[key])
            case "copy" if other in expected and other != key:
                expected[key] = expected[other]
                s3.copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": other})
            case "delete":
                expected.pop(key, None)
                s3.delete_object(Bucket=bucket, Key=key)
            case "many":
                expected.pop(key, None)
                expected.pop(other, None)
                s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key}, {"Key": other}]})

    kill_and_restart(server)

    assert {key: body(s3, bucket, key) for key in keys(s3, bucket)} == expected


def test_an_object_read_while_it_is_replaced_is_whole(s3: "S3Client", server: Aws, bucket: str):
    versions = [letter * 100_000 for letter in (b"a", b"b", b"c")]
    s3.put_object(Bucket=bucket, Key="k", Body=versions[0])
    retrying = boto3.client(
        "s3",
        endpoint_url=server.settings.aws_endpoint_url,
        aws_access_key_id=server.settings.aws_access_key_id,
        aws_secret_access_key=server.settings.aws_secret_access_key,
        region_name="us-east-1",
    )

    def replace(number: int) -> None:
        s3.put_object(Bucket=bucket, Key="k", Body=versions[number % 3])

    def read(_: int) -> bool:
        answer = retrying.get_object(Bucket=bucket, Key="k")
        content = answer["Body"].read()
        return content in versions and answer["ETag"] == f'"{md5(content)}"'

    with ThreadPoolExecutor(6) as pool:
        writes = [pool.submit(replace, number) for number in range(60)]
        reads = [pool.submit(read, number) for number in range(120)]
        assert all(job.result() for job in reads)
        for job in writes:
            job.result()


def test_last_modified_is_the_time_of_the_change(s3: "S3Client", bucket: str):
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    first = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    age = datetime.now(first.tzinfo) - first
    assert abs(age.total_seconds()) < 60
