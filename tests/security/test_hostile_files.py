"""Files of nonsense are the errors of their rows or of their COPY, never the sandbox's."""

import bz2
import gzip
import random

import pytest

from sandbox.redshift.copy.documents import DocumentReader, Documents
from sandbox.redshift.copy.errors import ConversionError, CopyError
from sandbox.redshift.copy.jsonpaths import parse_jsonpaths
from sandbox.redshift.copy.mapping import auto_sources, path_sources
from sandbox.redshift.copy.options import Options
from sandbox.redshift.copy.reading import FileContent, decoded
from sandbox.redshift.copy.rows import RowBuilder, document_error
from sandbox.redshift.copy.s3 import BLOCK_BYTES, S3Object
from sandbox.redshift.copy.source import MAX_MANIFEST_BYTES, _manifest_files
from tests.sandbox.redshift.copying import AS_JSON
from tests.security.copy_blocks import COLUMNS, TYPES, blocks

pytest_plugins = ("tests.sandbox.redshift.copy_fixtures",)

NUMBERS = [
    *("1e99999999999999999999", "-1e-99999999999999999999", "9e999999999", "1" * 5000, "1" * 4301, "1e400"),
    *("-" + "0" * 5000 + "5", "0." + "0" * 5000 + "1", "1e" + "9" * 5000, "J" + "9" * 30, "2018.366", "²"),
    *("2018-13-45", "9999-12-31 24:60:60", "99999999999999999999e99", "2018-01-01 00:00:00+99", "nan", "1."),
    *("1999-12-31 BC", "0000-00-00", "\\ud800", "\\u0000", "\x00", "\xff"),
]


def hostile_text(source: random.Random) -> str:
    column = f"c{source.randrange(len(TYPES))}"
    depth = source.choice([10, 250, 260, 500, 900, 980, 1000, 1010, 1023, 1024, 1100, 100_000])
    inside = source.choice(["", "1", '"\\ud800"', '"\xff"', "1" * 30])
    signs = '{}[]",:\\ \n\r\t\x00\xff1eE+-.tfnau'
    noise = "".join(source.choices(signs, k=source.randrange(200)))
    return source.choice(
        [
            "[" * depth,
            f'{{"{column}":{"[" * depth}{inside}{"]" * depth}}}',
            f'{{"{column}": {source.choice(NUMBERS)}}}',
            f'{{"{column}": "{source.choice(NUMBERS)}"}}',
            '{"a' * source.randrange(50) + source.choice(["\n", ""]),
            noise,
            f'{{"{column}": {source.choice(["{}", "[]", "true", "null", "1"])}}}',
            '{"c0":1}' * source.randrange(20),
        ]
    )


def hostile_file(source: random.Random) -> tuple[bytes, Options]:
    text = "".join(hostile_text(source) + source.choice("\n \n") for _ in range(source.randrange(1, 12)))
    data = text.encode() if source.random() < 0.5 else text.encode("latin-1", "replace")
    packing = source.choice([None, None, "GZIP", "BZIP2"])
    if packing:
        damaged = bytearray((gzip.compress if packing == "GZIP" else bz2.compress)(data))
        for _ in range(source.choice([0, 0, 3])):
            damaged[source.randrange(len(damaged))] = source.randrange(256)
        data = bytes(damaged[: source.choice([len(damaged), source.randrange(len(damaged) + 1)])])
    formats = source.choice([None, "auto", "epochmillisecs", "epochsecs"])
    date = "auto" if formats == "auto" else None
    encoding = source.choice(["utf-8"] * 4 + ["utf-16", "utf-16-be"])
    options = Options(
        json=source.choice(["auto", "auto ignorecase"]),
        compression=packing,
        encoding=encoding,
        time_format=formats,
        date_format=date,
        accept_invalid_chars=source.choice([None, "?"]),
        truncate_columns=source.random() < 0.5,
        round_decimals=source.random() < 0.5,
    )
    return data, options


@pytest.mark.parametrize("first", range(0, 150, 25))
def test_no_file_is_a_defect_of_the_sandbox(first: int):
    for seed in range(first, first + 25):
        copy_hostile_file(random.Random(seed))


def copy_hostile_file(source: random.Random) -> None:
    data, options = hostile_file(source)
    path = source.choice([None, "$", "$.c0", "$[0]", "$.c14[0]"])
    if path is None:
        builder = RowBuilder(COLUMNS, auto_sources([c.name for c in COLUMNS]), options, auto=True)
    else:
        text = _paths(path)
        paths = parse_jsonpaths(text, "p")
        assert paths is not None
        builder = RowBuilder(COLUMNS, path_sources(paths, len(COLUMNS)), options, auto=False)
    size = source.choice([7, 1000]) if len(data) < 3000 else BLOCK_BYTES
    content = FileContent("s3://b/f", len(data), blocks(data, size))
    try:
        for found in DocumentReader(decoded(content, options)):
            if isinstance(found, Documents):
                assert all(rows.data.decode() is not None for rows in builder.build(found, "f"))
            else:
                assert document_error(found, "f").line_number >= 1
    except CopyError as error:
        assert "s3://b/f" in error.message  # noqa: PT017 - most files raise nothing


def _paths(path: str) -> bytes:
    return b'{"jsonpaths":[' + b",".join([f'"{path}"'.encode()] * len(COLUMNS)) + b"]}"


@pytest.mark.parametrize("first", range(0, 100, 25))
def test_no_manifest_and_no_jsonpaths_file_is_a_defect_of_the_sandbox(first: int):
    for seed in range(first, first + 25):
        read_hostile_text(hostile_text(random.Random(seed)).encode("latin-1", "replace"))


def read_hostile_text(junk: bytes) -> None:
    paths = (b"%s", b'{"jsonpaths":[%s]}', b'{"jsonpaths":["$[%s]"]}')
    manifests = (b'{"entries":[%s]}', b'{"entries":[{"url":%s}]}')
    for text in (whole.replace(b"%s", junk) for whole in (*paths, *manifests)):
        for read in (
            lambda text=text: parse_jsonpaths(text, "p"),
            lambda text=text: _manifest_files(text, S3Object("b", "k")),
        ):
            try:
                read()
            except CopyError as error:
                assert len(error.message) < 10_000  # noqa: PT017 - some are sound


def test_a_value_that_is_too_deep_is_the_error_of_its_row(connector, put):
    deep = '{"a":1,"b":' + "[" * 1000 + "]" * 1000 + "}"
    url = put(f=f'{deep}\n{{"a":2,"b":"ok"}}\n' + "[" * 100_000)
    connector.run(f"COPY t FROM '{url}' {AS_JSON} MAXERROR 5")
    assert connector.run("SELECT a FROM t") == [(2,)]
    connector.connection.rollback()
    assert "stl_load_errors" in connector.fail(f"COPY t FROM '{url}' {AS_JSON}")[1]


def test_a_manifest_may_name_itself_and_has_a_limit(connector, put):
    address = put(itself="{}")
    put_url = f"{address}itself"
    bucket, _, prefix = address.removeprefix("s3://").partition("/")
    assert bucket
    assert prefix
    text = f'{{"entries":[{{"url":"{put_url}","mandatory":true}}]}}'
    assert _manifest_files(text.encode(), S3Object(bucket, "m"))[0].address.url == put_url
    large = put(large=" " * (MAX_MANIFEST_BYTES + 1))
    assert (
        "has more than 16,777,216 bytes"
        in connector.fail(f"COPY t FROM '{large}large' IAM_ROLE default MANIFEST FORMAT AS JSON 'auto'")[1]
    )


def test_an_error_of_nesting_has_a_code():
    from sandbox.redshift.copy.conversion.values import json_text

    value: list[object] = []
    for _ in range(5000):
        value = [value]
    with pytest.raises(ConversionError, match="nested too deeply"):
        json_text(value)
