"""Fixtures of the tests of COPY: connections with a table to load, and objects in S3."""

import uuid
from contextlib import closing

import pytest

from tests.sandbox.redshift.copying import BUCKET, DRIVERS, Warehouse


@pytest.fixture(params=DRIVERS)
def warehouse(sandbox, request):
    """A connection with a temp table t (a INTEGER, b VARCHAR(8))."""
    found = Warehouse(sandbox, request.param)
    with closing(found.connection):
        found.run("CREATE TEMP TABLE t (a INTEGER, b VARCHAR(8))")
        found.connection.commit()
        yield found


@pytest.fixture
def connector(sandbox):
    """The same through redshift_connector only."""
    found = Warehouse(sandbox, "redshift_connector")
    with closing(found.connection):
        found.run("CREATE TEMP TABLE t (a INTEGER, b VARCHAR(8))")
        found.connection.commit()
        yield found


@pytest.fixture
def put(s3):
    """Write objects below a prefix of the test's own; returns the prefix's address."""
    if BUCKET not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=BUCKET)
    prefix = f"{uuid.uuid4()}/"

    def write(**files):
        for name, body in files.items():
            data = body if isinstance(body, bytes) else body.encode()
            s3.put_object(Bucket=BUCKET, Key=prefix + name, Body=data)
        return f"s3://{BUCKET}/{prefix}"

    yield write
    for found in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", []):
        s3.delete_object(Bucket=BUCKET, Key=found["Key"])
