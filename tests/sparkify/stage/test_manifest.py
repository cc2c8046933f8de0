"""What is written to the work bucket for COPY to read."""

import json
from datetime import datetime

from sparkify.source import SourceFile
from sparkify.stage import copying
from sparkify.stage.manifest import write_jsonpaths, write_manifest
from tests.sparkify.orders import ids, order, put_orders, stage_orders

WORK = "sparkify-work"


def read(s3, address):
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()


def test_every_file_is_mandatory_and_named_as_it_is(s3, sandbox):
    files = [SourceFile("raw", key, "etag", 1, datetime(2020, 5, 1)) for key in ("a b.json", "größe.json")]
    address = write_manifest(s3, WORK, "L1", files)
    assert address.startswith(f"s3://{WORK}/manifests/L1/")
    assert write_manifest(s3, WORK, "L1", files) != address
    assert json.loads(read(s3, address)) == {
        "entries": [
            {"url": "s3://raw/a b.json", "mandatory": True},
            {"url": "s3://raw/größe.json", "mandatory": True},
        ]
    }


def test_the_same_jsonpaths_have_the_same_address_and_others_another(s3, sandbox):
    one, same, other = (write_jsonpaths(s3, WORK, "orders.json", text) for text in ("[1]", "[1]", "[2]"))
    assert one == same != other
    assert (read(s3, one), read(s3, other)) == ("[1]", "[2]")
    assert one.endswith("/orders.json")


def test_a_file_that_is_gone_when_it_is_copied_is_listed_anew_and_never_passed_over(
    orders, source, conn_id, monkeypatch
):
    put_orders(source, "orders/a.json", order(1))
    put_orders(source, "orders/b.json", order(2))

    def remove_first(s3, bucket, load_id, files):
        written.append(len(files))
        s3.delete_object(Bucket=source.bucket, Key="orders/b.json")
        return write_manifest(s3, bucket, load_id, files)

    written = []
    monkeypatch.setattr(copying, "write_manifest", remove_first)
    monkeypatch.setattr("sparkify.warehouse.tries.time.sleep", lambda _: None)
    stage_orders(source, conn_id)
    assert written == [2, 1]
    assert ids(orders) == [1]
    assert orders.query("SELECT key FROM ops.staged_files") == [("orders/a.json",)]
