"""Where COPY finds its files and paths, and how it may read them."""

import bz2
import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from tests.sandbox.aws.client import client
from tests.sandbox.redshift.copying import AS_JSON, BUCKET, Warehouse, admin_connection

pytest_plugins = ("tests.sandbox.redshift.copy_fixtures",)


def test_a_source_is_a_prefix_not_a_path(connector, put):
    source = put(custdata='{"a": 1}', **{"custdata.bak": '{"a": 2}', "other": "junk"})
    connector.run(f"COPY t FROM '{source}cust' {AS_JSON}")
    assert connector.run("SELECT a FROM t ORDER BY a") == [(1,), (2,)]


@pytest.mark.parametrize(
    "key",
    ["a/../b", "a/./b", "a//b", "a/b/..", "./a", "a.", "a%2Fb", "a+b c", "ü", "u\u0308", "a?b#c", "~'()*;="],
)
def test_any_key_that_s3_takes_can_be_loaded(connector, put, key):
    source = put(**{key: '{"a": 1}'})
    connector.run(f"COPY t FROM '{(source + key).replace(chr(39), chr(39) * 2)}' {AS_JSON}")
    assert connector.run("SELECT a FROM t") == [(1,)]


@pytest.mark.parametrize(("option", "pack"), [("GZIP", gzip.compress), ("BZIP2", bz2.compress)])
def test_compressed_files(connector, put, option, pack):
    many = b'{"a": 1}\n' * 100_000
    source = put(x=pack(many) + pack(b'{"a": 2}'))
    connector.run(f"COPY t FROM '{source}' {AS_JSON} {option}")
    assert connector.run("SELECT count(*), sum(a) FROM t") == [(100_001, 100_002)]


def test_a_file_that_is_not_compressed_as_declared_is_named(connector, put):
    source = put(x='{"a": 1}')
    _, message, _ = connector.fail(f"COPY t FROM '{source}' {AS_JSON} GZIP")
    assert message.startswith(f"{source}x cannot be decompressed as gzip")
    connector.connection.rollback()
    source = put(x=gzip.compress(b'{"a": 1}' * 999)[:-9])
    assert "ends too early" in connector.fail(f"COPY t FROM '{source}' {AS_JSON} GZIP")[1]


def test_other_encodings(connector, put):
    source = put(x='{"b": "ä€"}'.encode("utf-16"))
    connector.run(f"COPY t FROM '{source}' {AS_JSON} ENCODING UTF16")
    assert connector.run("SELECT b FROM t") == [("ä€",)]


def manifest(source, *entries):
    return json.dumps({"entries": [{"url": url, **more} for url, more in entries]})


def test_a_manifest_lists_exactly_the_files(connector, put):
    source = put(x='{"a": 1}', y='{"a": 2}', z="junk")
    entries = [(f"{source}y", {}), (f"{source}x", {"mandatory": True}), (f"{source}y", {"meta": {"n": 1}})]
    source = put(list=manifest(source, *entries, (f"{source}gone", {})))
    connector.run(f"COPY t FROM '{source}list' {AS_JSON} MANIFEST")
    assert connector.run("SELECT a FROM t ORDER BY a") == [(1,), (2,), (2,)]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([("SOURCEgone", {"mandatory": True})], "The specified key does not exist. SOURCEgone"),
        ([("SOURCEgone", {}), ("SOURCEnever", {})], "None of the files listed in the manifest exists"),
        ([("SOURCE", {})], "has an entry that is not a full path: 'SOURCE'"),
        ([("x", {})], "has an entry that is not a full path: 'x'"),
        ([], "it lists no file"),
        ([("SOURCEx", {"mandatory": "yes"})], "mandatory 'yes' is not true or false"),
    ],
)
def test_a_manifest_that_cannot_be_followed_says_why(connector, put, entries, message):
    source = put(x='{"a": 1}')
    put(list=manifest(source, *((url.replace("SOURCE", source), more) for url, more in entries)))
    sqlstate, found, _ = connector.fail(f"COPY t FROM '{source}list' {AS_JSON} MANIFEST")
    assert sqlstate == "XX000"
    assert message.replace("SOURCE", source) in found


def test_a_missing_manifest_and_one_that_is_none(connector, put):
    source = put(x="[1]")
    assert f"{source}gone" in connector.fail(f"COPY t FROM '{source}gone' {AS_JSON} MANIFEST")[1]
    connector.connection.rollback()
    assert f"{source}x" in connector.fail(f"COPY t FROM '{source}x' {AS_JSON} MANIFEST")[1]


def test_nothing_behind_a_prefix_is_an_error_with_redshifts_detail(warehouse, put):
    put(x="{}")
    sqlstate, message, detail = warehouse.fail(f"COPY t FROM 's3://{BUCKET}/no/such' {AS_JSON}")
    assert (sqlstate, message) == ("XX000", "The specified S3 prefix 'no/such' does not exist")
    assert "code:      8001" in detail
    warehouse.connection.rollback()
    # It never reached the load phase.
    assert warehouse.run("SELECT pg_last_copy_id()") == [(-1,)]


def test_a_missing_bucket(connector, put):
    _, message, _ = connector.fail(f"COPY t FROM 's3://no-such-bucket-here/x' {AS_JSON}")
    assert message == "S3ServiceException:The specified bucket does not exist,Status 404,Error NoSuchBucket"


def test_wrong_access_keys_are_denied_and_logged_nowhere(connector, sandbox, put):
    source = put(x='{"a": 1}')
    right = f"'{sandbox.aws_access_key_id}' SECRET_ACCESS_KEY '{sandbox.aws_secret_access_key}'"
    connector.run(f"COPY t FROM '{source}' ACCESS_KEY_ID {right} JSON 'auto'")
    assert connector.run("SELECT count(*) FROM t") == [(1,)]
    wrong = "'AKIAWRONG' SECRET_ACCESS_KEY 'wrong-secret'"
    sqlstate, message, detail = connector.fail(f"COPY t FROM '{source}' ACCESS_KEY_ID {wrong} JSON 'auto'")
    assert sqlstate == "XX000"
    assert "Status 403" in message
    assert "wrong-secret" not in message + detail
    with admin_connection(sandbox) as admin:
        texts = admin.execute("SELECT string_agg(query_text, ' ') FROM pg_internal.transfer").fetchone()[0]
    assert "wrong-secret" not in texts
    assert sandbox.aws_secret_access_key not in texts


def test_a_bucket_in_another_region_needs_region(connector, s3, put):
    s3.create_bucket(Bucket="copy-tests-eu", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="copy-tests-eu", Key="x", Body=b'{"a": 1}')
    _, message, _ = connector.fail(f"COPY t FROM 's3://copy-tests-eu/x' {AS_JSON}")
    assert "must be addressed using the specified endpoint" in message
    connector.connection.rollback()
    connector.run(f"COPY t FROM 's3://copy-tests-eu/x' {AS_JSON} REGION 'eu-west-1'")
    assert connector.run("SELECT count(*) FROM t") == [(1,)]


def test_jsonpaths(connector, put):
    paths = json.dumps({"jsonpaths": ["$['id']", "$['names'][0]"]})
    put(paths=paths, other='{"paths": []}', few='{"jsonpaths": ["$.id"]}')
    source = put(data='{"id": 1, "names": ["x", "y"]}')
    copy = f"COPY t FROM '{source}data' IAM_ROLE default FORMAT AS JSON"
    connector.run(f"{copy} '{source}paths'")
    assert connector.run("SELECT a, b FROM t") == [(1, "x")]
    # Another key than "jsonpaths" means 'auto', without a word.
    connector.run(f"{copy} '{source}other'")
    assert connector.run("SELECT a, b FROM t ORDER BY a") == [(1, "x"), (None, None)]
    _, message, _ = connector.fail(f"{copy} '{source}few' MAXERROR 100")
    assert message == (
        "Number of jsonpaths and the number of columns should match. "
        "JSONPath size: 1, Number of columns in table or column list: 2"
    )
    connector.connection.rollback()
    assert f"{source}none" in connector.fail(f"{copy} '{source}none'")[1]


def test_copies_that_end_at_the_same_time_all_end_well(sandbox, put):
    source = put(one='{"a": 1}')

    def copy_often() -> list[int]:
        found = Warehouse(sandbox, "redshift_connector")
        with closing(found.connection):
            found.run("CREATE TEMP TABLE t (a INTEGER)")
            counts = []
            for _ in range(15):
                found.run(f"COPY t FROM '{source}' {AS_JSON}")
                found.connection.commit()
                counts += found.run("SELECT pg_last_copy_count()")[0]
        return counts

    with ThreadPoolExecutor(8) as pool:
        runs = [pool.submit(copy_often) for _ in range(8)]
    assert [run.result() for run in runs] == [[1] * 15] * 8


def test_a_role_reads_what_its_policies_allow(connector, put, sandbox):
    source = put(x='{"a": 1}')
    iam, arn = client(sandbox, "iam"), "arn:aws:iam::123456789012:role/reader"
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "redshift.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    copy = f"COPY t FROM '{source}' IAM_ROLE '{arn}' FORMAT AS JSON 'auto'"
    reads = ["s3:GetBucketLocation", "s3:ListBucket", "s3:GetObject"]
    try:
        for number, action in enumerate(reads):
            _, message, _ = connector.fail(copy)
            assert f"assumed-role/reader/redshift is not authorized to perform: {action} on" in message
            assert "Status 403,Error AccessDenied" in message
            connector.connection.rollback()
            statement = {"Effect": "Allow", "Action": reads[: number + 1], "Resource": "*"}
            document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            iam.put_role_policy(RoleName="reader", PolicyName="p", PolicyDocument=document)
        connector.run(copy)
        assert connector.run("SELECT a FROM t") == [(1,)]
    finally:
        iam.delete_role_policy(RoleName="reader", PolicyName="p")
        iam.delete_role(RoleName="reader")
