"""COPY … FORMAT AS PARQUET, by the guide's page "COPY from columnar data formats"."""

import gzip
import json

import duckdb
import pytest

from tests.sandbox.redshift.copying import BUCKET, LAST_SYS

pytest_plugins = ("tests.sandbox.redshift.copy_fixtures",)

PARQUET = "IAM_ROLE default FORMAT AS PARQUET"
TYPES = {
    "si SMALLINT": "7::SMALLINT",
    "i INTEGER": "8::INTEGER",
    "bi BIGINT": "9::BIGINT",
    "d DECIMAL(10, 2)": "1.25::DECIMAL(10, 2)",
    "r REAL": "0.1::FLOAT",
    "dp DOUBLE PRECISION": "0.1::DOUBLE",
    "b BOOLEAN": "true",
    "c CHAR(3)": "'ab'",
    "v VARCHAR(20)": "'a\tb\\\u00e9'",
    "da DATE": "DATE '2026-11-28'",
    "t TIME": "TIME '01:02:03'",
    "ts TIMESTAMP": "TIMESTAMP '2026-11-28 01:02:03.456'",
    "tz TIMESTAMPTZ": "TIMESTAMPTZ '2026-11-28 01:02:03+02'",
}


@pytest.fixture
def parquet(tmp_path):
    """The bytes of a Parquet file with the rows of a query."""

    def write(query):
        path = tmp_path / "x.parquet"
        with duckdb.connect() as database:
            database.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
        return path.read_bytes()

    return write


@pytest.fixture
def table(connector):
    """Make the table u of given columns."""

    def make(columns):
        connector.run(f"CREATE TEMP TABLE u ({columns})")
        connector.connection.commit()

    return make


def test_every_type_is_loaded_from_its_own(connector, put, parquet, table):
    table(", ".join(TYPES))
    values = ", ".join(TYPES.values())
    nulls = ", ".join("NULL" for _ in TYPES)
    source = put(x=parquet(f"SELECT {values} UNION ALL SELECT {nulls}"))
    connector.run(f"COPY u FROM '{source}' {PARQUET}")
    row = (
        "SELECT si, i, bi, d::VARCHAR, r::VARCHAR, dp::VARCHAR, b, c, v, da::VARCHAR, t::VARCHAR, "
        "ts::VARCHAR, tz::VARCHAR FROM u WHERE i = 8"
    )
    assert connector.run(row) == [
        (
            *(7, 8, 9, "1.25", "0.1", "0.1", True, "ab ", "a\tb\\é", "2026-11-28", "01:02:03"),
            *("2026-11-28 01:02:03.456", "2026-11-27 23:02:03+00"),
        )
    ]
    assert connector.run("SELECT count(*), count(si), count(tz) FROM u") == [(2, 1, 1)]
    log = f"SELECT loaded_rows, file_format FROM sys_load_history WHERE {LAST_SYS}"
    assert connector.run(log) == [(2, "parquet")]


def test_columns_are_taken_in_order_whatever_their_names(connector, put, parquet):
    source = put(x=parquet("SELECT 'one' AS a, 1::INTEGER AS other"))
    connector.run(f"COPY t (b, a) FROM '{source}' {PARQUET}")
    assert connector.run("SELECT * FROM t") == [(1, "one")]


@pytest.mark.parametrize(
    ("query", "column", "spectrum_type", "schema"),
    [
        ("1::BIGINT AS n, 'x' AS b", "n", "INT", "optional int64 n [i:0 d:1 r:0]"),
        ("'1' AS n, 'x' AS b", "n", "INT", "optional byte_array n [i:0 d:1 r:0]"),
        ("1::INTEGER AS n, 2 AS b", "b", "VARCHAR(8)", "optional int32 b [i:1 d:1 r:0]"),
        ("1::INTEGER AS n, [1] AS b", "b", "VARCHAR(8)", "optional group b [i:1 d:1 r:0]"),
    ],
)
def test_a_column_of_another_type_ends_the_load(
    connector, put, parquet, query, column, spectrum_type, schema
):
    source = put(x=parquet(f"SELECT * FROM (SELECT {query}) UNION ALL SELECT NULL, NULL"))
    state, message, detail = connector.fail(f"COPY t FROM '{source}' {PARQUET}")
    assert (state, message) == ("XX000", "Spectrum Scan Error")
    assert "code:      15007" in detail
    assert (
        f"incompatible Parquet schema for column '{source}x.{column}'. Column type: {spectrum_type}" in detail
    )
    assert schema in detail


@pytest.mark.parametrize("type_name", ["DECIMAL(9, 2)", "DECIMAL(10, 1)", "DOUBLE"])
def test_a_decimal_has_exactly_the_columns_precision_and_scale(connector, put, parquet, table, type_name):
    table("d DECIMAL(10, 2)")
    source = put(x=parquet(f"SELECT 1::{type_name} AS d"))
    assert "Column type: DECIMAL(10, 2)" in connector.fail(f"COPY u FROM '{source}' {PARQUET}")[2]


def test_files_have_as_many_columns_as_the_table_or_fewer_with_fillrecord(connector, put, parquet):
    source = put(x=parquet("SELECT 1::INTEGER AS a"))
    detail = connector.fail(f"COPY t FROM '{source}' {PARQUET}")[2]
    assert "Unmatched number of columns between table and file. Table columns: 2, Data columns: 1" in detail
    assert f"File name: https://s3.us-east-1.amazonaws.com/{BUCKET}/" in detail
    connector.connection.rollback()
    connector.run(f"COPY t FROM '{source}' {PARQUET} FILLRECORD")
    assert connector.run("SELECT * FROM t") == [(1, None)]


def test_a_text_longer_than_its_column_ends_the_load(connector, put, parquet):
    source = put(x=parquet("SELECT 1::INTEGER AS a, 'far too long' AS b"))
    detail = connector.fail(f"COPY t FROM '{source}' {PARQUET}")[2]
    assert "code:      15001" in detail
    assert "The length of the data column b is longer than the length defined in the table" in detail
    assert "Table: 8, Data: 12" in detail


def test_null_ends_the_load_into_a_not_null_column(connector, put, parquet, table):
    table("a INTEGER NOT NULL")
    source = put(x=parquet("SELECT NULL::INTEGER AS a"))
    assert (
        "Missing data for not-null field, column a" in connector.fail(f"COPY u FROM '{source}' {PARQUET}")[2]
    )


def test_a_manifest_needs_the_files_sizes(connector, put, parquet):
    source = put(x=parquet("SELECT 1::INTEGER, 'one'"), y="junk")
    url = f"{source}x"
    put(
        m=json.dumps({"entries": [{"url": url}]}),
        n=json.dumps({"entries": [{"url": url, "meta": {"content_length": 9}}]}),
    )
    message = connector.fail(f"COPY t FROM '{source}m' {PARQUET} MANIFEST")[1]
    assert "meta.content_length is required" in message
    connector.connection.rollback()
    connector.run(f"COPY t FROM '{source}n' {PARQUET} MANIFEST")
    assert connector.run("SELECT * FROM t") == [(1, "one")]


def test_files_are_unpacked_by_their_extension(connector, put, parquet):
    source = put(**{"x.parquet.gz": gzip.compress(parquet("SELECT 1::INTEGER, 'one'"))})
    connector.run(f"COPY t FROM '{source}' {PARQUET}")
    assert connector.run("SELECT * FROM t") == [(1, "one")]


def test_what_is_no_parquet_file_is_named(connector, put):
    source = put(x="junk")
    detail = connector.fail(f"COPY t FROM '{source}' {PARQUET}")[2]
    assert "/x: Invalid Input Error" in detail


def test_many_rows_and_files_are_loaded_in_one_copy(connector, put, parquet):
    many = parquet("SELECT i::INTEGER, 'x' || i FROM range(20000) r(i)")
    source = put(x=many, y=many)
    connector.run(f"COPY t FROM '{source}' {PARQUET}")
    assert connector.run("SELECT count(*), sum(a) FROM t") == [(40_000, 2 * sum(range(20_000)))]


@pytest.mark.parametrize(
    "option", ["GZIP", "IGNOREHEADER 1", "MAXERROR 5", "REGION 'us-east-1'", "DELIMITER ','"]
)
def test_options_of_other_formats_are_refused(connector, option):
    word = option.split()[0]
    _, message, _ = connector.fail(f"COPY t FROM 's3://{BUCKET}/x' {PARQUET} {option}")
    assert message == f"{word} argument is not supported for PARQUET based COPY"
