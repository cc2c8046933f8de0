"""UNLOAD to S3 through the endpoint: its files, its session, its traces, by the guide's page "UNLOAD"."""

import bz2
import gzip
import json
import os
import socket
import threading
import uuid
from contextlib import closing

import duckdb
import psycopg2
import pytest
import zstandard

from sandbox.parts.settings import ROLE_NAME
from tests.sandbox.aws.client import client
from tests.sandbox.redshift.copying import BUCKET, Warehouse
from tests.security.raw_http import until

pytest_plugins = ("tests.sandbox.redshift.copy_fixtures",)

ROLE = "IAM_ROLE default"
VENUES = (
    "SELECT 1 AS venueid, 'Pinewood Race|track'::VARCHAR(25) AS venuename, 'OH'::CHAR(2) AS venuestate, "
    "0 AS seats "
    "UNION ALL SELECT 2, 'Columbus \"Crew\" Stadium', 'OH', NULL "
    "UNION ALL SELECT 4, 'Community, Ballpark', NULL, 7 ORDER BY 1"
)

ENDLESS = "SELECT COUNT(*) FROM pg_class a, pg_class b, pg_class c, pg_class d"


@pytest.fixture(scope="module", autouse=True)
def writing_role(sandbox):
    """The cluster's role may write, which it may not by itself."""
    iam = client(sandbox, "iam")
    actions = ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    allowed = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName=ROLE_NAME, PolicyName="unload", PolicyDocument=policy)
    yield
    iam.delete_role_policy(RoleName=ROLE_NAME, PolicyName="unload")


@pytest.fixture
def target(s3, put):
    """The address of a prefix of the test's own."""
    return put() + f"{uuid.uuid4().hex}_"


@pytest.fixture
def objects(s3):
    """The bytes below an address by what stands behind it."""

    def read(url):
        prefix = url.removeprefix(f"s3://{BUCKET}/")
        found = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return {
            entry["Key"].removeprefix(prefix): s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
            for entry in found
        }

    return read


def unload(query, url, options=""):
    quoted = query.replace("'", "''")
    return f"UNLOAD ('{quoted}') TO '{url}' {ROLE} {options}"


def test_unload_runs_inside_the_clients_transaction(warehouse, target, objects):
    warehouse.run("INSERT INTO t VALUES (1, 'one'), (2, NULL)")
    warehouse.run(unload("SELECT * FROM t ORDER BY a", target))
    assert objects(target) == {"0000_part_00": b"1|one\n2|\n"}
    assert warehouse.run("SELECT pg_last_unload_count()") == [(2,)]
    [(query,)] = warehouse.run("SELECT pg_last_unload_id()")
    log = "SELECT TRIM(path), line_count, transfer_size, TRIM(file_format) FROM stl_unload_log WHERE query = "
    assert warehouse.run(f"{log}{query}") == [(f"{target}0000_part_00", 2, 9, "Text")]
    warehouse.connection.rollback()
    assert warehouse.run("SELECT count(*) FROM t") == [(0,)]
    assert warehouse.run("SELECT pg_last_unload_id(), pg_last_unload_count()") == [(-1, 0)]


def test_an_alias_is_known_in_later_items_of_the_query(warehouse, target, objects):
    warehouse.run("INSERT INTO t VALUES (1, 'one')")
    warehouse.run(unload("SELECT a + 1 AS more, more * 10 AS most FROM t", target))
    assert objects(target) == {"0000_part_00": b"2|20\n"}


def test_the_client_is_told_how_many_rows_there_were(sandbox, target):
    found = Warehouse(sandbox, "psycopg2")
    with closing(found.connection), found.connection.cursor() as cursor:
        cursor.execute(unload(VENUES, target))
        assert found.connection.notices[-1] == "INFO:  UNLOAD completed, 3 record(s) unloaded successfully.\n"
        assert cursor.statusmessage == "UNLOAD"


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ("", ["1|Pinewood Race|track|OH|0", '2|Columbus "Crew" Stadium|OH|', "4|Community, Ballpark||7"]),
        (
            "HEADER DELIMITER ','",
            [
                "venueid,venuename,venuestate,seats",
                *("1,Pinewood Race|track,OH,0", '2,Columbus "Crew" Stadium,OH,', "4,Community, Ballpark,,7"),
            ],
        ),
        (
            "ESCAPE NULL AS 'none'",
            [
                "1|Pinewood Race\\|track|OH|0",
                '2|Columbus "Crew" Stadium|OH|none',
                "4|Community, Ballpark|none|7",
            ],
        ),
        (
            "ADDQUOTES ESCAPE DELIMITER AS ','",
            [
                '"1","Pinewood Race|track","OH","0"',
                '"2","Columbus \\"Crew\\" Stadium","OH",""',
                '"4","Community\\, Ballpark","","7"',
            ],
        ),
        (
            "CSV",
            ["1,Pinewood Race|track,OH,0", '2,"Columbus ""Crew"" Stadium",OH,', '4,"Community, Ballpark",,7'],
        ),
        (
            "FORMAT AS CSV DELIMITER AS '|' HEADER",
            [
                "venueid|venuename|venuestate|seats",
                '1|"Pinewood Race|track"|OH|0',
                '2|"Columbus ""Crew"" Stadium"|OH|',
                "4|Community, Ballpark||7",
            ],
        ),
        (
            "FIXEDWIDTH 'venueid:3,venuename:25,s:2,4:3'",
            [
                "1  Pinewood Race|track      OH0  ",
                '2  Columbus "Crew" Stadium  OH   ',
                "4  Community, Ballpark        7  ",
            ],
        ),
        (
            "JSON",
            [
                '{"venueid":1,"venuename":"Pinewood Race|track","venuestate":"OH","seats":0}',
                '{"venueid":2,"venuename":"Columbus \\"Crew\\" Stadium","venuestate":"OH","seats":null}',
                '{"venueid":4,"venuename":"Community, Ballpark","venuestate":null,"seats":7}',
            ],
        ),
    ],
)
def test_formats_of_text(connector, target, objects, options, lines):
    connector.run(unload(VENUES, target, options))
    assert objects(target) == {"0000_part_00": "".join(f"{line}\n" for line in lines).encode()}


def test_values_are_written_as_redshift_writes_them(connector, target, objects):
    query = (
        "SELECT true AS b, 1.50::DECIMAL(8, 2) AS d, 0.1::FLOAT AS f, DATE '2026-11-28' AS da, "
        "TIMESTAMP '2026-11-28 01:02:03.5' AS ts, 'a\\\\\\\\b\tc\nd' AS v"
    )
    connector.run(unload(query, target, "CSV"))
    assert objects(target)["0000_part_00"] == b't,1.50,0.1,2026-11-28,2026-11-28 01:02:03.5,"a\\b\tc\nd"\n'
    connector.run(unload(query, f"{target}j", "JSON"))
    assert objects(f"{target}j")["0000_part_00"] == (
        b'{"b":"t","d":1.50,"f":0.1,"da":"2026-11-28","ts":"2026-11-28 01:02:03.5","v":"a\\\\b\\tc\\nd"}\n'
    )


def test_parquet_keeps_types_and_is_loaded_again(connector, target, objects, tmp_path):
    columns = (
        "si SMALLINT, i INTEGER, bi BIGINT, d DECIMAL(12, 3), r REAL, dp FLOAT, b BOOLEAN, c CHAR(3), "
        "v VARCHAR(9), da DATE, ts TIMESTAMP, tz TIMESTAMPTZ"
    )
    connector.run(f"CREATE TEMP TABLE u ({columns})")
    connector.run(
        "INSERT INTO u VALUES (1, 2, 3, 4.5, 0.5, 0.1, true, 'ab', '', '2026-11-28', "
        "'2026-11-28 01:02:03.5', '2026-11-28 01:02:03+02')"
    )
    connector.run("INSERT INTO u (i) VALUES (7)")
    connector.run(unload("SELECT * FROM u ORDER BY i", target, "FORMAT AS PARQUET MANIFEST"))
    found = objects(target)
    assert sorted(found) == ["0000_part_00.parquet", "manifest"]
    path = tmp_path / "x.parquet"
    path.write_bytes(found["0000_part_00.parquet"])
    with duckdb.connect() as database:
        described = database.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()
        assert [row[1] for row in described] == (
            [
                "SMALLINT",
                "INTEGER",
                "BIGINT",
                "DECIMAL(12,3)",
                "FLOAT",
                "DOUBLE",
                "BOOLEAN",
                "VARCHAR",
                "VARCHAR",
                "DATE",
                "TIMESTAMP",
                "TIMESTAMP",
            ]
        )
        codecs = database.execute(f"SELECT DISTINCT compression FROM parquet_metadata('{path}')").fetchall()
        assert codecs == [("SNAPPY",)]
    connector.run("CREATE TEMP TABLE again (LIKE u)")
    connector.run(f"COPY again FROM '{target}manifest' {ROLE} FORMAT AS PARQUET MANIFEST")
    assert connector.run("SELECT * FROM again ORDER BY i") == connector.run("SELECT * FROM u ORDER BY i")


@pytest.mark.parametrize(
    "options", ["ESCAPE", "ADDQUOTES ESCAPE", "CSV", r"DELIMITER '\t' ESCAPE NULL AS '\N'"]
)
def test_what_is_unloaded_can_be_loaded_again(connector, target, options):
    connector.run("CREATE TEMP TABLE u (a INTEGER, b VARCHAR(40))")
    connector.run("CREATE TEMP TABLE again (a INTEGER, b VARCHAR(40))")
    texts = ["plain", 'quote " and | pipe', "tab\tand, comma", "back\\\\slash", "two\nlines", "ünï"]
    values = ", ".join(f"({number}, '{text}')" for number, text in enumerate(texts))
    connector.run(f"INSERT INTO u VALUES {values}")
    connector.run(unload("SELECT * FROM u", target, options))
    connector.run(f"COPY again FROM '{target}' {ROLE} {options.replace('ADDQUOTES', 'REMOVEQUOTES')}")
    assert connector.run("SELECT * FROM again ORDER BY a") == connector.run("SELECT * FROM u ORDER BY a")


@pytest.mark.parametrize(
    ("options", "name", "unpack"),
    [
        ("GZIP", "0000_part_00.gz", gzip.decompress),
        ("BZIP2", "0000_part_00.bz2", bz2.decompress),
        ("ZSTD", "0000_part_00.zst", lambda data: zstandard.ZstdDecompressor().stream_reader(data).read()),
        ("PARALLEL OFF", "000", bytes),
        ("PARALLEL FALSE GZIP", "000.gz", gzip.decompress),
        ("EXTENSION 'txt'", "0000_part_00.txt", bytes),
        ("GZIP EXTENSION 'csv.gz' PARALLEL OFF", "000.csv.gz", gzip.decompress),
        ("MAXFILESIZE 5 MB", "0000_part_00", bytes),
    ],
)
def test_names_and_compression(connector, target, objects, options, name, unpack):
    connector.run(unload("SELECT 1, 'one'", target, options))
    assert {key: unpack(data) for key, data in objects(target).items()} == {name: b"1|one\n"}


def test_a_file_that_is_full_is_followed_by_the_next(connector, target, objects):
    numbers = "SELECT ROW_NUMBER() OVER (ORDER BY x.oid, y.oid) AS n FROM pg_class x, pg_class y"
    query = f"SELECT n, REPEAT('x', 100) FROM ({numbers}) WHERE n <= 60000 ORDER BY n"
    connector.run(unload(query, target, "PARALLEL OFF MAXFILESIZE 5 MB"))
    found = objects(target)
    assert sorted(found) == ["000", "001"]
    assert all(len(data) <= 5 * 1024**2 for data in found.values())
    assert [int(line.split(b"|")[0]) for key in sorted(found) for line in found[key].splitlines()] == list(
        range(1, 60_001)
    )


def test_partitions_are_folders(connector, target, objects):
    query = "SELECT 1 AS a, 'x' AS k, DATE '2026-11-28' AS d UNION ALL SELECT 2, NULL, DATE '2026-11-29'"
    connector.run(unload(query, target, "PARTITION BY (d, k)"))
    assert objects(target) == {
        "/d=2026-11-28/k=x/0000_part_00": b"1\n",
        "/d=2026-11-29/k=__HIVE_DEFAULT_PARTITION__/0000_part_00": b"2\n",
    }
    connector.run(unload(query, f"{target}i/", "PARTITION BY (k) INCLUDE PARALLEL OFF CSV"))
    assert objects(f"{target}i/") == {
        "k=x/000": b"1,x,2026-11-28\n",
        "k=__HIVE_DEFAULT_PARTITION__/000": b"2,,2026-11-29\n",
    }


def test_a_manifest_lists_the_files(connector, target, objects):
    connector.run(unload("SELECT 1 AS a, 'x'::VARCHAR(5) AS b, 1.5::DECIMAL(5, 2) AS c", target, "MANIFEST"))
    url = f"{target}0000_part_00"
    assert json.loads(objects(target)["manifest"]) == {
        "entries": [{"url": url, "meta": {"content_length": 9}}]
    }
    query = "SELECT 1 AS a, 'x'::VARCHAR(5) AS b, 1.5::DECIMAL(5, 2) AS c"
    connector.run(unload(query, target, "MANIFEST VERBOSE HEADER ALLOWOVERWRITE"))
    assert json.loads(objects(target)["manifest"]) == {
        "entries": [{"url": url, "meta": {"content_length": 15, "record_count": 2}}],
        "schema": {
            "elements": [
                {"name": "a", "type": {"base": "integer"}},
                {"name": "b", "type": {"base": "character varying", "max_length": 5}},
                {"name": "c", "type": {"base": "numeric", "precision": 5, "scale": 2}},
            ]
        },
        "meta": {"content_length": 15, "record_count": 2},
        "author": {"name": "Amazon Redshift", "version": "1.0.0"},
    }


def test_a_target_that_is_not_empty_is_kept_overwritten_or_cleaned(warehouse, target, put, objects):
    put(**{target.rpartition("/")[2] + "old": "old"})
    state, message, _ = warehouse.fail(unload("SELECT 1", target))
    assert (state, message) == (
        "XX000",
        "Specified unload destination on S3 is not empty. Consider using a different bucket / prefix, "
        "manually removing the target files in S3, or using the ALLOWOVERWRITE option.",
    )
    warehouse.connection.rollback()
    warehouse.run(unload("SELECT 1", target, "ALLOWOVERWRITE"))
    assert objects(target) == {"0000_part_00": b"1\n", "old": b"old"}
    warehouse.run(unload("SELECT 2", target, "CLEANPATH"))
    assert objects(target) == {"0000_part_00": b"2\n"}


def test_cleanpath_with_partitions_leaves_the_others(connector, target, put, objects):
    base = target.rpartition("/")[2]
    put(**{f"{base}/k=1/old": "old", f"{base}/k=2/old": "old"})
    connector.run(unload("SELECT 5 AS a, 1 AS k", target, "PARTITION BY (k) CLEANPATH"))
    assert objects(target) == {"/k=1/0000_part_00": b"5\n", "/k=2/old": b"old"}


@pytest.mark.parametrize("options", ["", "CSV HEADER MANIFEST", "JSON", "FORMAT PARQUET"])
def test_no_rows_make_no_files(connector, target, objects, options):
    connector.run(unload("SELECT a, b FROM t", target, options))
    assert objects(target) == {}
    assert connector.run("SELECT pg_last_unload_count()") == [(0,)]


def test_the_query_is_redshifts_sql(connector, target, objects):
    connector.run("INSERT INTO t VALUES (1, 'x')")
    connector.run(
        unload(
            "SELECT NVL(b, ''), DATEADD(day, 1, '2026-11-28'::DATE)::DATE, GETDATE() > '2020-01-01' FROM t;",
            target,
        )
    )
    assert objects(target) == {"0000_part_00": b"x|2026-11-29|t\n"}
    assert connector.fail(unload("SELECT generate_series(1, 2), a FROM t", f"{target}2"))[0] == "0A000"


def test_an_error_of_the_query_is_the_clients_and_leaves_no_file(warehouse, target, objects):
    warehouse.run("INSERT INTO t VALUES (1, 'x'), (0, 'y')")
    state, message, _ = warehouse.fail(unload("SELECT 1 / a FROM t ORDER BY b", target))
    assert (state, message.lower()) == ("22012", "division by zero")
    warehouse.connection.rollback()
    assert objects(target) == {}
    assert warehouse.fail(unload("SELECT nothing FROM t", target))[0] == "42703"
    warehouse.connection.rollback()
    assert warehouse.run("SELECT 1") == [(1,)]


def test_a_value_too_wide_for_its_fixed_width_fails(warehouse, target, objects):
    _, message, _ = warehouse.fail(unload("SELECT 'abcd' AS v", target, "FIXEDWIDTH 'v:3'"))
    assert message == "A value of column v has 4 characters, its FIXEDWIDTH is 3"
    warehouse.connection.rollback()
    assert objects(target) == {}
    log = "SELECT status, unloaded_rows, error_message FROM sys_unload_history"
    assert warehouse.run(f"{log} WHERE session_id = pg_backend_pid() ORDER BY query_id DESC LIMIT 1") == [
        ("aborted", 0, message)
    ]
    assert warehouse.run("SELECT pg_last_unload_count()") == [(0,)]


def test_unload_stands_in_a_query_of_several_statements(sandbox, target, objects):
    found = Warehouse(sandbox, "psycopg2")
    with closing(found.connection):
        found.connection.autocommit = True
        found.run(
            f"CREATE TEMP TABLE s (a INTEGER); INSERT INTO s VALUES (3); {unload('SELECT * FROM s', target)}"
        )
        assert objects(target) == {"0000_part_00": b"3\n"}
        found.fail(f"INSERT INTO s VALUES (4); {unload('SELECT * FROM s', target)}")
        assert found.run("SELECT a FROM s") == [(3,)]


def test_views_of_unloads(connector, target):
    connector.run(unload("SELECT 1 AS a, 2 AS b", target, "CSV GZIP"))
    history = (
        "SELECT status, file_format, compression_type, unloaded_location, unloaded_rows, "
        "unloaded_files_count, "
        "unloaded_files_size > 0, error_message, duration > 0 FROM sys_unload_history "
        "WHERE session_id = pg_backend_pid()"
    )
    assert connector.run(history) == [("completed", "CSV", "gzip", target, 1, 1, True, None, True)]
    detail = "SELECT TRIM(file_name), line_count, TRIM(file_format) FROM sys_unload_detail"
    assert connector.run(f"{detail} WHERE session_id = pg_backend_pid()") == [
        (f"{target}0000_part_00.gz", 1, "CSV")
    ]


def cancel_when_running(sandbox, pid, connection):
    watcher = Warehouse(sandbox, "psycopg2")
    with closing(watcher.connection):
        watcher.connection.autocommit = True
        status = f"SELECT status FROM sys_unload_history WHERE session_id = {pid}"
        until(lambda: watcher.run(status) == [("running",)], seconds=60)
    connection.cancel()


def test_a_running_unload_is_cancelled(sandbox, target, objects):
    found = Warehouse(sandbox, "psycopg2")
    with closing(found.connection):
        found.run("SET statement_timeout TO 100000")  # whatever becomes of the thread
        [(pid,)] = found.run("SELECT pg_backend_pid()")
        thread = threading.Thread(target=cancel_when_running, args=(sandbox, pid, found.connection))
        thread.start()
        with pytest.raises(psycopg2.errors.QueryCanceled, match="user request"):
            found.run(unload(ENDLESS, target))
        thread.join()
        found.connection.rollback()
        assert found.run("SELECT 1") == [(1,)]
        assert objects(target) == {}


def fails(warehouse, sql):
    with pytest.raises(psycopg2.Error):
        warehouse.run(sql)


def test_an_unload_whose_client_is_gone_is_aborted(sandbox, connector, target, objects):
    connector.connection.autocommit = True
    found = Warehouse(sandbox, "psycopg2")
    found.run("SET statement_timeout TO 100000")
    [(pid,)] = found.run("SELECT pg_backend_pid()")
    thread = threading.Thread(target=lambda: fails(found, unload(ENDLESS, target)), daemon=True)
    thread.start()
    status = f"SELECT status FROM sys_unload_history WHERE session_id = {pid}"
    until(lambda: connector.run(status) == [("running",)])
    with socket.socket(fileno=os.dup(found.connection.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)
    thread.join()
    until(lambda: connector.run(status) == [("aborted",)])
    until(lambda: connector.run(f"SELECT COUNT(*) FROM pg_stat_activity WHERE pid = {pid}") == [(0,)])
    assert objects(target) == {}


def test_a_role_that_may_only_read_writes_nothing(sandbox, warehouse, target, objects):
    iam = client(sandbox, "iam")
    name = f"r-{uuid.uuid4().hex[:8]}"
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "redshift.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    reads = {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:List*", "s3:GetBucketLocation"],
        "Resource": "*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [reads]})
    iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=policy)
    state, message, detail = warehouse.fail(unload("SELECT 1", target).replace("default", f"'{arn}'"))
    assert state == "XX000"
    assert f"assumed-role/{name}/redshift is not authorized to perform: s3:PutObject" in message
    assert f"S3 path: {target}0000_part_00" in detail
    assert objects(target) == {}


def test_a_bucket_that_is_not_there_is_an_error(warehouse, put):
    url = put().replace(BUCKET, "nobodys-bucket")
    state, message, _ = warehouse.fail(unload("SELECT 1", url))
    assert (state, "NoSuchBucket" in message) == ("XX000", True)


def test_dollars_may_quote_the_query(connector, target, objects):
    """As Airflow's RedshiftToS3Operator writes it."""
    connector.run(f"UNLOAD ($$SELECT 'it''s'$$) TO '{target}' {ROLE}")
    assert objects(target) == {"0000_part_00": b"it's\n"}
