"""Files that are small, broken or endless cost COPY neither memory nor its other sessions' time."""

import bz2
import gzip
import json
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import duckdb
import pytest
import zstandard

from sandbox.parts.parts import Redshift
from sandbox.redshift.copy.columnar import ParquetRows
from sandbox.redshift.copy.columns import TargetColumn
from sandbox.redshift.copy.delimited import TextReader
from sandbox.redshift.copy.documents import MAX_DOCUMENT_BYTES, BadDocument, DocumentReader, Documents
from sandbox.redshift.copy.errors import CopyError, FatalError
from sandbox.redshift.copy.jsonpaths import parse_jsonpaths
from sandbox.redshift.copy.mapping import auto_sources, path_sources
from sandbox.redshift.copy.options import Options
from sandbox.redshift.copy.reading import FileContent, decoded
from sandbox.redshift.copy.rows import MAX_ROW_BYTES, RowBuilder
from sandbox.redshift.copy.s3 import BLOCK_BYTES
from sandbox.redshift.copy.text_rows import TextRows
from tests.sandbox.redshift.copying import AS_JSON, Warehouse
from tests.security.copy_blocks import blocks

pytest_plugins = ("tests.sandbox.redshift.copy_fixtures",)

MOST_MB = 32


def packed(name: str, megabytes: int, byte: bytes) -> bytes:
    packer: Any = zlib.compressobj(9, wbits=31)
    if name != "GZIP":
        packer = bz2.BZ2Compressor() if name == "BZIP2" else zstandard.ZstdCompressor(19).compressobj()
    return b"".join(packer.compress(byte * 1_000_000) for _ in range(megabytes)) + packer.flush()


def unpacked(data: bytes, name: str | None, **options: str) -> Iterator[bytes]:
    return decoded(
        FileContent("s3://b/f", len(data), blocks(data)), Options(json="auto", compression=name, **options)
    )


@pytest.mark.parametrize("name", ["GZIP", "BZIP2", "ZSTD"])
@pytest.mark.parametrize("byte", [b" ", b"x"])
def test_what_unpacks_to_much_takes_little_memory(name: str, byte: bytes):
    bomb = packed(name, 40, byte)
    tracemalloc.start()
    try:
        found = list(DocumentReader(unpacked(bomb, name)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST_MB * 1e6
    assert [each.reason.partition(" ")[0] for each in found] == ([] if byte == b" " else ["JSON"])  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "pack"), [("GZIP", gzip.compress), ("BZIP2", bz2.compress), ("ZSTD", zstandard.compress)]
)
def test_thousands_of_tiny_streams_are_read_in_a_moment(name, pack):
    data = pack(b"{}\n") * 20_000 + pack(b"") * 20_000
    began = time.process_time()
    pieces = list(unpacked(data, name))
    assert b"".join(pieces) == b"{}\n" * 20_000
    assert len(pieces) == 1
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        (b'{"a":\n' * 100_000, 1),
        (b"{\n" * 100_000, 100_000),
        (b"{}" * 100_000 + b"\n", 0),
        (b"[" * 1_000_000, 1),
        (b'{"a":"' * 200_000, 1),
        (b"1 " * 100_000, 100_000),
        (b"}\n" * 100_000, 100_000),
    ],
)
def test_broken_files_are_read_in_linear_time(text: bytes, broken: int):
    began = time.process_time()
    found = [each for each in DocumentReader(blocks(text)) if isinstance(each, BadDocument)]
    assert len(found) == broken
    assert time.process_time() - began < 20  # took hours


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (b'"' * 2_000_001, {"data_format": "CSV"}),
        (b'"a",' * 500_000, {"data_format": "CSV"}),
        (b'"a\n' * 30_000, {"data_format": "CSV"}),
        (b"\\" * 500_001, {"data_format": "TEXT", "escape": True}),
        (b"\\\n" * 200_000, {"data_format": "TEXT", "escape": True}),
        (b"'a|" * 100_000, {"data_format": "TEXT", "remove_quotes": True}),
        (b"'a'|" * 50_000, {"data_format": "TEXT", "remove_quotes": True, "escape": True}),
        (b"\n" * 1_000_000, {"data_format": "TEXT", "ignore_blank_lines": True}),
    ],
)
def test_hostile_text_is_read_in_linear_time(text: bytes, options: dict[str, Any]):
    began = time.process_time()
    builder = TextRows([TargetColumn("a", "integer")], Options(**options))
    reader = TextReader(blocks(text), Options(**options))
    assert sum(rows.count for records in reader for rows in builder.build(records, "f")) <= 1
    assert time.process_time() - began < 20


def test_a_long_value_repeated_in_parquet_takes_little_memory(tmp_path):
    path = tmp_path / "x.parquet"
    with duckdb.connect() as database:
        query = "SELECT repeat('x', 1000000) AS v FROM range(200)"
        database.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    rows = ParquetRows([TargetColumn("v", "character varying", 65535)], Options(data_format="PARQUET"), "r")
    tracemalloc.start()
    try:
        with pytest.raises(CopyError, match="Spectrum Scan Error"):
            list(rows.load(blocks(path.read_bytes()), "s3://b/k"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST_MB * 1e6


def test_a_line_without_an_end_is_given_up_at_the_limit():
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += BLOCK_BYTES
            yield b'{"a":"' + b"x" * (BLOCK_BYTES - 6)

    (found,) = DocumentReader(endless())
    assert isinstance(found, BadDocument)
    assert found.fatal
    assert read <= MAX_DOCUMENT_BYTES + 2 * BLOCK_BYTES


MANY = 1600
SUPERS = [TargetColumn(f"c{number}", "json") for number in range(MANY)]


def paths_builder(*paths: str) -> RowBuilder:
    """What gives each of 1,600 columns the value of one of the paths, in turn."""
    text = json.dumps({"jsonpaths": [paths[number % len(paths)] for number in range(MANY)]})
    parsed = parse_jsonpaths(text.encode(), "p")
    assert parsed is not None
    return RowBuilder(SUPERS, path_sources(parsed, MANY), Options(json="s3://b/p"), auto=False)


def built(builder: RowBuilder, data: bytes) -> tuple[int, list[FatalError], float]:
    """Bytes of rows, errors, and the most megabytes that were held at a time."""
    size, errors = 0, []
    tracemalloc.start()
    try:
        for found in DocumentReader(blocks(data)):
            assert isinstance(found, Documents)
            for rows in builder.build(found, "f"):
                size += len(rows.data)
                errors += rows.errors
        return size, errors, tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("paths", "size"),
    [
        (["$"], 20_000),
        (["$.a.d", "$.a.b"], 20_000),
        (["$.a.b", "$.a", "$.a.c[0]"], 1_200_000),
    ],
)
def test_a_document_in_each_of_many_columns_is_the_error_of_its_row(paths: list[str], size: int):
    large = {"a": {"b": "x" * (size // 2), "c": ["y" * (size // 2)], "d": 1}}
    data = b"".join(json.dumps(each).encode() + b"\n" for each in (large, {"a": {"c": [0]}}))
    written, errors, most = built(paths_builder(*paths), data)
    assert [(error.line_number, error.code, error.reason) for error in errors] == [
        (1, 1216, "Row exceeds 4194304 bytes")
    ]
    assert written < 100_000
    assert most < MOST_MB


def test_many_small_rows_of_many_columns_are_made_in_pieces():
    builder = RowBuilder(SUPERS, auto_sources([c.name for c in SUPERS]), Options(json="auto"), auto=True)
    written, errors, most = built(builder, b"{}\n" * 200)
    assert (written, errors) == (200 * MANY * 3, [])
    assert most < 2
    document = json.dumps({"a": "x" * 1000}).encode() + b"\n"
    written, errors, most = built(paths_builder("$"), document * 20)
    assert (written, errors) == (20 * MANY * 1009, [])
    assert most < 16


def test_a_row_of_four_megabytes_is_loaded_and_a_pipe_counts_twice_in_it():
    columns = [TargetColumn("a", "json"), TargetColumn("b", "json")]
    builder = RowBuilder(columns, auto_sources(["a", "b"]), Options(json="auto"), auto=True)

    def errors(sign: str, count: int) -> int:
        text = json.dumps({"a": sign * (count - 2)}).encode() + b"\n"  # and two quotes
        return sum(len(rows.errors) for found in DocumentReader([text]) for rows in builder.build(found, "f"))

    null = 2
    assert errors("x", MAX_ROW_BYTES - null - 100) == 0
    assert errors("|", MAX_ROW_BYTES // 2 - null) == 0
    assert errors("|", MAX_ROW_BYTES // 2 + null) == 1


def test_copying_a_bomb_leaves_the_endpoint_small_and_open_to_others(sandbox, connector, put):
    """Memory is the endpoint's own: what the system says of its process."""
    (endpoint, *_) = Redshift(sandbox).find()
    columns = ", ".join(f"c{number} VARCHAR(65535)" for number in range(MANY))
    connector.run(f"CREATE TEMP TABLE wide ({columns})")
    warm = put(warm="{}\n" * 1000)
    connector.run(f"COPY t FROM '{warm}warm' {AS_JSON}")
    connector.connection.commit()
    url = put(
        bomb=packed("BZIP2", 120, b" "),
        large=(json.dumps({"a": "x" * 65_535}) + "\n") * 60,
        paths=json.dumps({"jsonpaths": ["$.a"] * MANY}),
    )
    before = endpoint.memory_info().rss
    most, logins, done = before, [], threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.005):
            most = max(most, endpoint.memory_info().rss)

    def copy() -> None:
        connector.run(f"COPY t FROM '{url}bomb' IAM_ROLE default FORMAT AS JSON 'auto' BZIP2")

    watcher, copier = threading.Thread(target=watch), threading.Thread(target=copy)
    watcher.start()
    copier.start()
    try:
        while copier.is_alive():
            began = time.monotonic()
            with closing(Warehouse(sandbox, "psycopg").connection) as other:
                assert other.execute("SELECT 1").fetchone() == (1,)
            logins.append(time.monotonic() - began)
        refused = connector.fail(f"COPY wide FROM '{url}large' IAM_ROLE default JSON '{url}paths'")
    finally:
        copier.join()
        done.set()
        watcher.join()
    assert "stl_load_errors" in refused[1]
    assert (most - before) / 1e6 < 64
    assert len(logins) > 1
    assert max(logins) < 5
