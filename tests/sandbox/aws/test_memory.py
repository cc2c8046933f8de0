"""What the AWS API server keeps in memory, and what it does not."""

import gc
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from sandbox.aws.dispatch import SERVICES
from sandbox.aws.journal import Journal
from sandbox.aws.small_moto import Regions
from sandbox.parts.parts import Aws
from tests.sandbox.aws.clusters import World

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytest_plugins = ("tests.sandbox.aws.fixtures", "tests.sandbox.aws.cluster_fixtures")

MB = 1_000_000
FEW, MANY = 100, 300


def memory(aws: Aws) -> int:
    """The bytes that the server holds now."""
    return int(aws.find()[0].memory_info().rss)


def use(s3: "S3Client", folder: str, number: int) -> None:
    for one in range(number):
        s3.put_object(Bucket="sparkify-raw", Key=f"{folder}/{one}.json", Body=b"{}")
    list(s3.get_paginator("list_objects_v2").paginate(Bucket="sparkify-raw", Delimiter="/"))


def held() -> int:
    """The bytes of all Python objects, of which those of a client do not grow."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.parametrize("service", SERVICES)
def test_regions_are_those_that_boto3_knows(service: str):
    session = boto3.Session()
    partitions = session.get_available_partitions()
    assert Regions().get_available_partitions() == partitions
    for partition in partitions:
        known = session.get_available_regions(service, partition_name=partition)
        assert Regions().get_available_regions(service, partition) == known


def test_a_server_that_has_done_nothing_takes_little(aws: Aws):
    assert memory(aws) < 115 * MB  # 92; what moto reads for itself would be over 120 more


@pytest.mark.usefixtures("traced")
def test_objects_take_no_memory(world: World):
    s3 = world.client("s3")
    use(s3, "a", FEW)  # whatever is made once
    before = held()
    for _ in range(2):  # put again, they would leave their former selves
        use(s3, "b", MANY)
    assert held() - before < 1000 * MANY  # moto alone keeps over 2,000 bytes of each, each time


def test_a_list_of_versions_reads_no_bodies(aws: Aws, aws_s3: "S3Client", aws_bucket: str):
    for number in range(8):
        aws_s3.put_object(Bucket=aws_bucket, Key=str(number), Body=bytes(8 * MB))
    process = Path("/proc") / str(aws.find()[0].pid)
    before = memory(aws)
    (process / "clear_refs").write_text("5")
    assert len(aws_s3.list_object_versions(Bucket=aws_bucket)["Versions"]) == 8
    peak = int((process / "status").read_text().partition("VmHWM:")[2].split()[0]) * 1024
    assert peak - before < 20 * MB


def test_the_journal_knows_the_last_20000_in_their_order():
    journal = Journal()
    for number in range(20_333):
        journal.note({"number": number})
    assert [one["number"] for one in journal.read()] == list(range(333, 20_333))
    journal.forget()
    assert journal.read() == []


def test_what_the_store_does_not_know_of_an_object_stays(aws_s3: "S3Client", aws_bucket: str):
    aws_s3.put_object(Bucket=aws_bucket, Key="k", Body=b"k")
    aws_s3.put_object_acl(Bucket=aws_bucket, Key="k", ACL="public-read")
    aws_s3.put_object(Bucket=aws_bucket, Key="tagged", Body=b"t", Tagging="a=b", StorageClass="GLACIER")
    aws_s3.restore_object(Bucket=aws_bucket, Key="tagged", RestoreRequest={"Days": 1})
    aws_s3.copy_object(Bucket=aws_bucket, Key="copy", CopySource=f"{aws_bucket}/k")
    grants = aws_s3.get_object_acl(Bucket=aws_bucket, Key="k")["Grants"]
    assert [grant["Permission"] for grant in grants] == ["FULL_CONTROL", "READ"]
    tags = aws_s3.get_object_tagging(Bucket=aws_bucket, Key="tagged")["TagSet"]
    assert tags == [{"Key": "a", "Value": "b"}]
    assert "Restore" in aws_s3.head_object(Bucket=aws_bucket, Key="tagged")
    listed = aws_s3.list_objects(Bucket=aws_bucket)["Contents"]
    assert [(one["Key"], one["Size"]) for one in listed] == [("copy", 1), ("k", 1), ("tagged", 1)]
    assert {one["StorageClass"] for one in listed} == {"STANDARD", "GLACIER"}
