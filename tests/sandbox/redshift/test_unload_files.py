"""The files of UNLOAD: formats, names, parts, manifests, by the guide's page "UNLOAD"."""

import bz2
import gzip
import json

import duckdb
import pytest
import zstandard

from tests.sandbox.redshift.unloading import ROLE, VENUES, unload

pytest_plugins = ("tests.sandbox.redshift.copy_fixtures", "tests.sandbox.redshift.unload_fixtures")
pytestmark = pytest.mark.usefixtures("writing_role")


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
