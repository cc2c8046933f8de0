"""Fifty clients load, change and query for a minute; what they leave is what they were told to leave."""

import itertools
import json
import random
import threading
import time
from collections import Counter
from contextlib import closing

import psycopg
import pytest
import redshift_connector

from sandbox.parts import processes
from sandbox.parts.postgres import LOGINS_AT_ONCE
from tests.sandbox.redshift.endpoint_clients import (
    Client,
    admin_rows,
    connect_psycopg,
    connect_redshift,
    wait_until,
)

CLIENTS = 50
SECONDS = 60
ROWS = 40
BUCKET = "load-tests"
COPY = f"COPY load_test.plays FROM 's3://{BUCKET}/plays.json' IAM_ROLE default FORMAT JSON 'auto'"
# What Redshift tells clients that change one table at once: a conflict of snapshots, a deadlock.
EXPECTED = {"XX000", "40P01"}
# After a quarter of the time every client has done all it does.
WARM = SECONDS / 4
GROWTH = 1.15


@pytest.fixture
def table(sandbox, s3):
    lines = [json.dumps({"id": number, "word": f"é{number}", "owner": -1}) for number in range(ROWS)]
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="plays.json", Body="\n".join(lines).encode())
    with connect_psycopg(sandbox, client_encoding="UTF8") as connection:
        connection.execute("CREATE SCHEMA load_test")
        connection.execute("CREATE TABLE load_test.plays (id INTEGER, word VARCHAR(20), owner INTEGER)")
        yield
        connection.execute("DROP SCHEMA load_test CASCADE")


def steps(number):
    """What a client does over and over; a name stands for what it counts."""
    yield "copy", COPY
    yield "insert", f"INSERT INTO load_test.plays VALUES ({number}, 'own', {number}), (0, NULL, {number})"
    yield "select", "SELECT owner, COUNT(*), MAX(word) FROM load_test.plays GROUP BY owner ORDER BY owner"
    yield "temp", "CREATE TEMP TABLE mine (n INTEGER)"
    yield "temp", "INSERT INTO mine SELECT owner FROM load_test.plays"
    yield "temp", "DROP TABLE mine"
    yield "wrong", "SELECT nothing FROM load_test.plays"
    yield "update", f"UPDATE load_test.plays SET word = 'new' WHERE owner = {number}"
    yield "delete", f"DELETE FROM load_test.plays WHERE owner = {number}"


class Crowd:
    """The clients' threads, what they did and what they were told."""

    def __init__(self, settings):
        self.settings = settings
        self.done, self.told, self.broken = Counter(), Counter(), []
        self.end = time.monotonic() + SECONDS
        # Of more clients that have not logged in than this the oldest would be turned away (docs/sandbox.md).
        self.door = threading.Semaphore(LOGINS_AT_ONCE // 2)
        self.threads = [threading.Thread(target=self._work, args=(number,)) for number in range(CLIENTS)]

    def _connect(self, number):
        with self.door:
            if number % 2:
                return connect_redshift(self.settings)
            return connect_psycopg(self.settings, client_encoding="UTF8")

    def _work(self, number):
        chance = random.Random(number)
        try:
            while time.monotonic() < self.end:
                with closing(self._connect(number)) as connection:
                    connection.autocommit = True
                    client = Client(connection)
                    for name, sql in itertools.islice(itertools.cycle(steps(number)), chance.randint(9, 90)):
                        self._do(client, name, sql)
                        if time.monotonic() > self.end:
                            break
        except Exception as error:  # whatever it is, it is none of Redshift's
            self.broken.append(repr(error))

    def _do(self, client, name, sql):
        try:
            client.run(sql)
            self.done[name] += 1
        except redshift_connector.Error as error:
            self.told[name, error.args[0]["C"]] += 1
        except psycopg.Error as error:
            if error.sqlstate is None:
                raise
            self.told[name, error.sqlstate] += 1


def memory(settings, part):
    return sum(process.memory_info().rss for process in processes.find_part(part, settings.home))


def backends(settings):
    return len(admin_rows(settings, "SELECT 1 FROM pg_stat_activity WHERE backend_type = 'client backend'"))


@pytest.mark.timeout(SECONDS * 5)
def test_fifty_clients_for_a_minute_leave_no_error_of_ours_no_backend_and_no_memory(sandbox, table):
    before = backends(sandbox)
    crowd = Crowd(sandbox)
    for thread in crowd.threads:
        thread.start()
    crowd.threads[0].join(WARM)
    warm = {part: memory(sandbox, part) for part in ("redshift", "aws")}
    for thread in crowd.threads:
        thread.join()

    assert crowd.broken == []
    assert crowd.done["copy"] >= CLIENTS
    unexpected = {key: times for key, times in crowd.told.items() if key[1] not in EXPECTED}
    assert set(unexpected) == {("wrong", "42703")}
    assert not crowd.done["wrong"]
    wait_until(lambda: backends(sandbox) <= before)
    for part, size in warm.items():
        assert memory(sandbox, part) < size * GROWTH, f"{part} grew from {size / 1e6:.0f} MB"
    assert admin_rows(sandbox, "SELECT COUNT(*) FROM load_test.plays WHERE owner = -1") == [
        (crowd.done["copy"] * ROWS,)
    ]
