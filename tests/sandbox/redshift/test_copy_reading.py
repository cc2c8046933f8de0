"""Decompressing and decoding files, and an S3 that does not answer."""

import bz2
import gzip
import socket
from pathlib import Path

import pytest

from sandbox.parts.settings import Settings
from sandbox.redshift.copy.credentials import Authorization
from sandbox.redshift.copy.errors import CopyError
from sandbox.redshift.copy.options import Options
from sandbox.redshift.copy.reading import FileContent, decoded
from sandbox.redshift.copy.s3 import BLOCK_BYTES, S3Object, S3Reader
from sandbox.redshift.copy.source import source_files


def read(data, block_bytes=5, **options):
    blocks = [data[start : start + block_bytes] for start in range(0, len(data), block_bytes)]
    return list(decoded(FileContent("s3://b/f", len(data), blocks), Options(json="auto", **options)))


@pytest.mark.parametrize(("name", "pack"), [("GZIP", gzip.compress), ("BZIP2", bz2.compress)])
def test_streams_one_behind_the_other_are_one_file(name, pack):
    data = pack(b"one ") + pack(b"two")
    for block_bytes in (1, 7, 1000):
        assert b"".join(read(data, block_bytes, compression=name)) == b"one two"
    assert read(b"", compression=name) == []


def test_what_unpacks_to_much_comes_in_small_blocks():
    blocks = read(gzip.compress(b"x" * 5_000_000), 100_000, compression="GZIP")
    assert sum(map(len, blocks)) == 5_000_000
    assert max(map(len, blocks)) <= BLOCK_BYTES


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (b"plain text", {"compression": "GZIP"}, "s3://b/f cannot be decompressed as gzip"),
        (b"plain text", {"compression": "BZIP2"}, "s3://b/f cannot be decompressed as bzip2"),
        (gzip.compress(b"x" * 99, mtime=0)[:-3], {"compression": "GZIP"}, "the file ends too early"),
        (
            gzip.compress(b"x", mtime=0) + b"junk",
            {"compression": "GZIP"},
            "s3://b/f cannot be decompressed as gzip",
        ),
        (b"abc", {"encoding": "utf-16-le"}, "s3://b/f is not encoded as UTF-16-LE"),
    ],
)
def test_a_file_that_is_not_what_the_copy_says_is_named(data, options, message):
    with pytest.raises(CopyError) as caught:
        read(data, **options)
    assert message in caught.value.message


def test_utf16_is_decoded_across_blocks():
    assert b"".join(read('{"a": "ä€🎵"}'.encode("utf-16"), 3, encoding="utf-16")).decode() == '{"a": "ä€🎵"}'


def test_an_s3_that_does_not_answer_is_an_error_that_says_what_to_do(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings = Settings(Path(tmp_path), 1, port, "p", "p", "AK", "SK")
    reader = S3Reader(settings, Authorization("default"), None)
    for attempt in (
        lambda: source_files("s3://b/p", reader, manifest=False),
        lambda: reader.read(S3Object("b", "k"), 100),
    ):
        with pytest.raises(CopyError) as caught:
            attempt()
        assert caught.value.sqlstate == "XX000"
        assert f"S3 does not answer at http://127.0.0.1:{port}" in caught.value.message
        assert "python -m sandbox status" in str(caught.value.hint)
    reader.close()
