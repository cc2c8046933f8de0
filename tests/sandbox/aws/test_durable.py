"""What S3 still knows of objects after its server was killed."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from sandbox.parts.parts import Aws

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
from tests.sandbox.aws.client import body, keys, kill_and_restart, md5

pytest_plugins = ("tests.sandbox.aws.fixtures",)

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
    "\U0010ffff" * 256,
]


@pytest.mark.parametrize("key", AWKWARD_KEYS)
def test_every_key_can_be_written_read_and_listed(aws_s3: "S3Client", aws_bucket: str, key: str):
    aws_s3.put_object(Bucket=aws_bucket, Key=key, Body=key.encode())
    assert body(aws_s3, aws_bucket, key) == key.encode()
    assert keys(aws_s3, aws_bucket) == [key]


def test_a_bucket_does_not_inherit_the_tags_of_one_that_was_deleted(aws_s3: "S3Client"):
    aws_s3.create_bucket(Bucket="tagged-once")
    aws_s3.put_bucket_tagging(Bucket="tagged-once", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    aws_s3.delete_bucket(Bucket="tagged-once")
    aws_s3.create_bucket(Bucket="tagged-once")
    with pytest.raises(ClientError, match="NoSuchTagSet"):
        aws_s3.get_bucket_tagging(Bucket="tagged-once")
    aws_s3.delete_bucket(Bucket="tagged-once")


def test_awkward_keys_survive_a_kill(aws: Aws, aws_s3: "S3Client", aws_bucket: str):
    for key in AWKWARD_KEYS:
        aws_s3.put_object(Bucket=aws_bucket, Key=key, Body=key.encode())

    kill_and_restart(aws)

    assert keys(aws_s3, aws_bucket) == sorted(AWKWARD_KEYS)
    assert [body(aws_s3, aws_bucket, key) for key in AWKWARD_KEYS] == [key.encode() for key in AWKWARD_KEYS]


def test_everything_s3_tells_about_an_object_survives_a_kill(aws: Aws, aws_s3: "S3Client", aws_bucket: str):
    aws_s3.put_object(
        Bucket=aws_bucket,
        Key="k",
        Body=b"hello",
        ContentType="application/json",
        ContentEncoding="gzip",
        Metadata={"Author": "me", "a_b": "c"},
        ChecksumAlgorithm="SHA256",
    )
    before = aws_s3.head_object(Bucket=aws_bucket, Key="k", ChecksumMode="ENABLED")

    kill_and_restart(aws)

    after = aws_s3.head_object(Bucket=aws_bucket, Key="k", ChecksumMode="ENABLED")
    for answer in (before, after):
        del answer["ResponseMetadata"]
    assert after == before
    assert after["ETag"] == f'"{md5(b"hello")}"'
    assert after["ContentType"] == "application/json"


def test_last_modified_of_a_listing_survives_a_kill(aws: Aws, aws_s3: "S3Client", aws_bucket: str):
    aws_s3.put_object(Bucket=aws_bucket, Key="k", Body=b"hello")
    before = aws_s3.list_objects_v2(Bucket=aws_bucket)["Contents"]

    kill_and_restart(aws)

    assert aws_s3.list_objects_v2(Bucket=aws_bucket)["Contents"] == before


def test_a_multipart_upload_survives_a_kill_with_its_etag(aws: Aws, aws_s3: "S3Client", aws_bucket: str):
    parts = [b"a" * 5 * 1024 * 1024, b"b" * 1000]
    upload = aws_s3.create_multipart_upload(Bucket=aws_bucket, Key="big", ContentType="text/plain")[
        "UploadId"
    ]
    etags = [
        aws_s3.upload_part(Bucket=aws_bucket, Key="big", UploadId=upload, PartNumber=number, Body=part)[
            "ETag"
        ]
        for number, part in enumerate(parts, start=1)
    ]
    finished = aws_s3.complete_multipart_upload(
        Bucket=aws_bucket,
        Key="big",
        UploadId=upload,
        MultipartUpload={"Parts": [{"ETag": etag, "PartNumber": n} for n, etag in enumerate(etags, 1)]},
    )
    assert finished["ETag"].endswith('-2"')

    kill_and_restart(aws)

    found = aws_s3.get_object(Bucket=aws_bucket, Key="big")
    assert found["Body"].read() == b"".join(parts)
    assert found["ETag"] == finished["ETag"]
    assert found["ContentType"] == "text/plain"


def test_an_unfinished_multipart_upload_makes_no_object(aws: Aws, aws_s3: "S3Client", aws_bucket: str):
    upload = aws_s3.create_multipart_upload(Bucket=aws_bucket, Key="big")["UploadId"]
    aws_s3.upload_part(Bucket=aws_bucket, Key="big", UploadId=upload, PartNumber=1, Body=b"part")

    kill_and_restart(aws)

    assert keys(aws_s3, aws_bucket) == []


def test_copies_replacements_and_deletions_survive_a_kill(aws: Aws, aws_s3: "S3Client", aws_bucket: str):
    for key in ("source", "replaced", "deleted", "many-1", "many-2"):
        aws_s3.put_object(Bucket=aws_bucket, Key=key, Body=key.encode())
    aws_s3.copy_object(Bucket=aws_bucket, Key="copy", CopySource={"Bucket": aws_bucket, "Key": "source"})
    aws_s3.put_object(Bucket=aws_bucket, Key="replaced", Body=b"new")
    aws_s3.delete_object(Bucket=aws_bucket, Key="deleted")
    aws_s3.delete_objects(Bucket=aws_bucket, Delete={"Objects": [{"Key": "many-1"}, {"Key": "many-2"}]})

    kill_and_restart(aws)

    found = {key: body(aws_s3, aws_bucket, key) for key in keys(aws_s3, aws_bucket)}
    assert found == {"source": b"source", "copy": b"source", "replaced": b"new"}


def test_a_deleted_bucket_stays_deleted(aws: Aws, aws_s3: "S3Client", aws_bucket: str):
    created = {entry["Name"]: entry["CreationDate"] for entry in aws_s3.list_buckets()["Buckets"]}
    aws_s3.delete_bucket(Bucket=aws_bucket)

    kill_and_restart(aws)

    after = {entry["Name"]: entry["CreationDate"] for entry in aws_s3.list_buckets()["Buckets"]}
    assert after == {name: date for name, date in created.items() if name != aws_bucket}


def test_removed_objects_leave_no_file_behind(aws: Aws, aws_s3: "S3Client", aws_bucket: str):
    bodies = aws.settings.home / "s3" / "bodies"
    before = {path for path in bodies.rglob("*") if path.is_file()}
    for number in range(5):
        aws_s3.put_object(Bucket=aws_bucket, Key="again", Body=str(number).encode())
    assert len([path for path in bodies.rglob("*") if path.is_file()]) == len(before) + 1

    aws_s3.delete_object(Bucket=aws_bucket, Key="again")

    assert {path for path in bodies.rglob("*") if path.is_file()} == before


def test_a_body_whose_row_was_never_written_is_swept_at_the_start(aws: Aws):
    orphan = aws.settings.home / "s3" / "bodies" / "zz" / "zzz"
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"written, then killed")

    kill_and_restart(aws)

    assert not orphan.exists()


def test_concurrent_writers_lose_nothing(aws: Aws, aws_s3: "S3Client", aws_bucket: str):
    expected = {f"k{number % 40}": b"" for number in range(200)}

    def put(number: int) -> None:
        aws_s3.put_object(Bucket=aws_bucket, Key=f"k{number % 40}", Body=f"k{number % 40}".encode() * 50)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(200)))
    kill_and_restart(aws)

    assert set(keys(aws_s3, aws_bucket)) == set(expected)
    assert all(body(aws_s3, aws_bucket, key) == key.encode() * 50 for key in expected)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_sequence_of_changes_is_found_again(aws: Aws, aws_s3: "S3Client", aws_bucket: str, seed: int):
    chance = random.Random(seed)
    expected: dict[str, bytes] = {}
    for step in range(60):
        key, other = (f"{chance.choice('abc')}/{chance.randrange(6)}" for _ in range(2))
        match chance.choice(["put", "put", "copy", "delete", "many"]):
            case "put":
                expected[key] = f"{seed}-{step}".encode()
                aws_s3.put_object(Bucket=aws_bucket, Key=key, Body=expected[key])
            case "copy" if other in expected and other != key:
                expected[key] = expected[other]
                aws_s3.copy_object(
                    Bucket=aws_bucket, Key=key, CopySource={"Bucket": aws_bucket, "Key": other}
                )
            case "delete":
                expected.pop(key, None)
                aws_s3.delete_object(Bucket=aws_bucket, Key=key)
            case "many":
                expected.pop(key, None)
                expected.pop(other, None)
                aws_s3.delete_objects(Bucket=aws_bucket, Delete={"Objects": [{"Key": key}, {"Key": other}]})

    kill_and_restart(aws)

    assert {key: body(aws_s3, aws_bucket, key) for key in keys(aws_s3, aws_bucket)} == expected


def test_an_object_read_while_it_is_replaced_is_whole(aws_s3: "S3Client", aws: Aws, aws_bucket: str):
    versions = [letter * 100_000 for letter in (b"a", b"b", b"c")]
    aws_s3.put_object(Bucket=aws_bucket, Key="k", Body=versions[0])
    retrying = boto3.client(
        "s3",
        endpoint_url=aws.settings.aws_endpoint_url,
        aws_access_key_id=aws.settings.aws_access_key_id,
        aws_secret_access_key=aws.settings.aws_secret_access_key,
        region_name="us-east-1",
    )

    def replace(number: int) -> None:
        aws_s3.put_object(Bucket=aws_bucket, Key="k", Body=versions[number % 3])

    def read(_: int) -> bool:
        answer = retrying.get_object(Bucket=aws_bucket, Key="k")
        content = answer["Body"].read()
        return content in versions and answer["ETag"] == f'"{md5(content)}"'

    with ThreadPoolExecutor(6) as pool:
        writes = [pool.submit(replace, number) for number in range(60)]
        reads = [pool.submit(read, number) for number in range(120)]
        assert all(job.result() for job in reads)
        for job in writes:
            job.result()


def test_last_modified_is_the_time_of_the_change(aws_s3: "S3Client", aws_bucket: str):
    aws_s3.put_object(Bucket=aws_bucket, Key="k", Body=b"1")
    first = aws_s3.head_object(Bucket=aws_bucket, Key="k")["LastModified"]
    age = datetime.now(first.tzinfo) - first
    assert abs(age.total_seconds()) < 60


def test_a_multipart_object_is_read_with_its_checksum_after_a_kill(
    aws: Aws, aws_s3: "S3Client", aws_bucket: str, tmp_path: Any
):
    content = bytes(range(256)) * 40_000
    (tmp_path / "f").write_bytes(content)
    aws_s3.upload_file(str(tmp_path / "f"), aws_bucket, "k")
    aws_s3.copy_object(Bucket=aws_bucket, Key="copy", CopySource={"Bucket": aws_bucket, "Key": "k"})

    kill_and_restart(aws)

    assert md5(body(aws_s3, aws_bucket, "k")) == md5(content)
    aws_s3.delete_object(Bucket=aws_bucket, Key="k")
    assert md5(body(aws_s3, aws_bucket, "copy")) == md5(content)
