"""S3 answers as moto's own in-memory server does, whatever the order of calls, and keeps what it has said."""

import hashlib
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from sandbox.parts.parts import Aws
from tests.conftest import free_port
from tests.sandbox.aws.client import ONE_ATTEMPT, body, client, keys, kill_and_restart
from tests.sandbox.aws.s3_sequences import Sequence, Server, state

pytest_plugins = ("tests.sandbox.aws.fixtures",)

BUCKET = "sparkify-work"
THREADS = 8
KEYS = [f"k/{number}" for number in range(50)]
SLOWEST = 10.0
# What a key may be: the MD5 of its body, None where it is not there.
States = dict[str, list[str | None]]


def of_moto(port: int, config: Config) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        region_name="us-east-1",
        config=config,
    )


@pytest.fixture(scope="module")
def moto_s3() -> Iterator[Any]:
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        patient = Config(retries={"total_max_attempts": 20, "mode": "standard"})
        of_moto(port, patient).list_buckets()
        yield of_moto(port, ONE_ATTEMPT)  # what moto stumbles over is not asked again
        process.kill()


def make_calls(aws: Aws, moto_s3: Any, seed: int, *, plain: bool, steps: int) -> None:
    sequence = Sequence(seed, [Server(moto_s3), Server(client(aws.settings, "s3"))], plain=plain)
    for _ in range(3 if plain else 1):  # what is not plain is not kept, and the answers would differ
        for _ in range(steps):
            sequence.step()
        before = state(client(aws.settings, "s3"))
        kill_and_restart(aws)
        assert state(client(aws.settings, "s3")) == before, "\n".join(sequence.log)
        sequence.end_uploads()


@pytest.mark.parametrize(("seed", "plain"), [(1, False), (2, True)])
def test_calls_in_any_order(aws: Aws, moto_s3: Any, seed: int, plain: bool):
    make_calls(aws, moto_s3, seed, plain=plain, steps=30)


@pytest.mark.parametrize("seed", range(10, 50))
def test_calls_in_many_orders(aws: Aws, moto_s3: Any, seed: int):
    make_calls(aws, moto_s3, seed, plain=seed % 2 == 0, steps=80)


class Worker(threading.Thread):
    """A client that puts and deletes its own keys by chance, and reads everybody's.

    Args:
        aws: The server, which may be killed meanwhile.
        number: Which of the workers it is.
        until: When it ends.
        states: What each key may be; what a call that has not been answered has done nobody knows.
    """

    def __init__(self, aws: Aws, number: int, until: float, states: States) -> None:
        super().__init__()
        self.wrong: list[object] = []
        self.lost = 0
        self.slowest = 0.0
        self._s3 = client(aws.settings, "s3")
        self._chance = random.Random(number)
        self._until = until
        self._states = states
        self._own = KEYS[number::THREADS]

    def run(self) -> None:
        calls = (self._put, self._put, self._delete, self._delete_many, self._get, self._get, self._list)
        while (begun := time.monotonic()) < self._until:
            try:
                self._chance.choice(calls)()
            except ClientError as error:
                if error.response["Error"]["Code"] != "NoSuchKey":
                    self.wrong.append(error)
            except BotoCoreError:  # the server is not there
                self.lost += 1
            self.slowest = max(self.slowest, time.monotonic() - begun)

    def _put(self) -> None:
        key = self._chance.choice(self._own)
        size = self._chance.choice([10, 5000, 300_000])
        content = f"{key} {self._chance.random()} ".encode() * (size // 10)
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        self._states[key].append(digest)
        self._s3.put_object(Bucket=BUCKET, Key=key, Body=content, Metadata={"md5": digest})
        self._states[key] = [digest]

    def _delete(self) -> None:
        key = self._chance.choice(self._own)
        self._states[key].append(None)
        self._s3.delete_object(Bucket=BUCKET, Key=key)
        self._states[key] = [None]

    def _delete_many(self) -> None:
        named = self._chance.sample(self._own, 3)
        for key in named:
            self._states[key].append(None)
        self._s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in named]})
        for key in named:
            self._states[key] = [None]

    def _get(self) -> None:
        key = self._chance.choice(KEYS)
        # With a condition moto answers, without one the store.
        found = self._s3.get_object(
            Bucket=BUCKET, Key=key, **self._chance.choice([{}, {"IfNoneMatch": '"0"'}])
        )
        content = found["Body"].read()
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        told = found["ETag"].strip('"'), found["Metadata"]["md5"], content.split(b" ")[0].decode()
        if told != (digest, digest, key):
            self.wrong.append((key, digest, told))

    def _list(self) -> None:
        name = self._chance.choice(["list_objects", "list_objects_v2", "list_object_versions"])
        getattr(self._s3, name)(Bucket=BUCKET, Prefix="k/")


def work(aws: Aws, seconds: float, kills: int) -> list[Worker]:
    """Let all work at the same keys; then each key has to be what it was last made."""
    states: States = {key: [None] for key in KEYS}
    until = time.monotonic() + seconds
    workers = [Worker(aws, number, until, states) for number in range(THREADS)]
    for worker in workers:
        worker.start()
    for _ in range(kills):
        workers[0].join(seconds / (kills + 1))
        kill_and_restart(aws)
    for worker in workers:
        worker.join()
    s3 = client(aws.settings, "s3")
    found = {
        key: hashlib.md5(body(s3, BUCKET, key), usedforsecurity=False).hexdigest() for key in keys(s3, BUCKET)
    }
    assert {key: found.get(key) for key in KEYS if found.get(key) not in states[key]} == {}
    listed = s3.list_objects(Bucket=BUCKET)["Contents"]
    assert {one["Key"]: one["ETag"].strip('"') for one in listed} == found
    for key in found:
        s3.delete_object(Bucket=BUCKET, Key=key)
    assert [worker.wrong for worker in workers if worker.wrong] == []
    assert max(worker.slowest for worker in workers) < SLOWEST
    return workers


def test_threads_see_whole_objects(aws: Aws):
    assert sum(worker.lost for worker in work(aws, seconds=3, kills=0)) == 0


def test_threads_see_whole_objects_for_long(aws: Aws):
    assert sum(worker.lost for worker in work(aws, seconds=60, kills=0)) == 0


def test_threads_lose_nothing_that_was_answered_when_the_server_is_killed(aws: Aws):
    work(aws, seconds=30, kills=5)
