"""JSON documents in a file's bytes: where they end, their lines, and what is none."""

import random

import orjson
import pytest

from sandbox.redshift.copy import documents
from sandbox.redshift.copy.documents import BadDocument, DocumentReader, without_lines


def read(text, block_bytes=7, skip_lines=0):
    """What the reader finds: (value, line) of documents and (reason, line, text) of the others."""
    data = text if isinstance(text, bytes) else text.encode()
    blocks = [data[start : start + block_bytes] for start in range(0, len(data), block_bytes)]
    found = []
    for item in DocumentReader(without_lines(blocks, skip_lines), skip_lines):
        if isinstance(item, BadDocument):
            found.append((item.reason.partition(":")[0], item.line, item.text.decode(errors="replace")))
        else:
            found += zip(item.values, item.lines, strict=True)
    return found


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1}\n{"a":2}\n',
        '{"a":1}\n{"a":2}',
        '{"a":1}\r\n{"a":2}\r\n',
    ],
)
@pytest.mark.parametrize("block_bytes", [1, 5, 1000])
def test_one_document_a_line(text, block_bytes):
    assert read(text, block_bytes) == [({"a": 1}, 1), ({"a": 2}, 2)]


@pytest.mark.parametrize("block_bytes", [1, 5, 1000])
def test_documents_need_no_separator_and_may_span_lines(block_bytes):
    text = '\n{"a":{"b":"}\\"{"}}{"a":2} [1]\n\n{\n "a":\n [\n{"c": 3}\n]\n}\n'
    found = [({"a": {"b": '}"{'}}, 2), ({"a": 2}, 2), ([1], 2), ({"a": [{"c": 3}]}, 9)]
    assert read(text, block_bytes) == found


def test_an_empty_file_holds_nothing():
    assert read("") == read(" \n\n") == []


@pytest.mark.parametrize("block_bytes", [1, 5, 1000])
@pytest.mark.parametrize(
    ("text", "found"),
    [
        # Each run of junk is one error.
        (
            '{"a":1}, {"a":2}\n',
            [({"a": 1}, 1), ("Invalid data outside of JSON documents", 1, ","), ({"a": 2}, 1)],
        ),
        ('x y\n{"a":1}', [*[("Invalid data outside of JSON documents", 1, t) for t in "xy"], ({"a": 1}, 2)]),
        # A line that is cut costs itself only.
        ('{"a":1\n{"a":2}\n{"a":3}', [("Invalid JSON document", 1, '{"a":1'), ({"a": 2}, 2), ({"a": 3}, 3)]),
        (
            '{"a":"x\n{"a":2}\n{"a":3}',
            [("Invalid JSON document", 1, '{"a":"x'), ({"a": 2}, 2), ({"a": 3}, 3)],
        ),
        # The number is that of the document's last line.
        ('{\n"a":tru\n}\n{"a":2}\n', [("Invalid JSON document", 3, '{\n"a":tru\n}'), ({"a": 2}, 4)]),
        ('{"a":nul}{"a":2}', [("Invalid JSON document", 1, '{"a":nul}'), ({"a": 2}, 1)]),
        ('{"a":2}\n{"a":', [({"a": 2}, 1), ("Invalid JSON document", 2, '{"a":')]),
        ('{"a":NaN}', [("Invalid JSON document", 1, '{"a":NaN}')]),
    ],
)
def test_a_broken_document_is_one_error_and_the_next_is_read(text, found, block_bytes):
    assert read(text, block_bytes) == found


def test_bytes_that_are_no_utf8_stay_recognizable_in_their_value():
    assert read(b'{"a":"x\xa4y"}\n{"a":"\\ud800"}\n', 1000) == [({"a": "x\udca4y"}, 1), ({"a": "\ud800"}, 2)]


def test_header_lines_are_skipped_but_counted():
    assert read('junk\n{"no\n{"a":1}\n', skip_lines=2) == [({"a": 1}, 3)]


def test_integers_beyond_64_bits_keep_every_digit_where_the_document_needs_the_slow_way():
    assert read('{"a":"\\ud800","b":123456789012345678901234567890}') == [
        ({"a": "\ud800", "b": 123456789012345678901234567890}, 1)
    ]


@pytest.mark.parametrize("block_bytes", [5, 1000])
@pytest.mark.parametrize(
    "number", [18446744073709551616, -9223372036854775809, 2**64 - 1, -(2**63), 10**37 + 1, 10**400 + 1]
)
def test_integers_beyond_64_bits_keep_every_digit(number, block_bytes):
    text = f'{{"a":{number}}}\n{{"a": {number}, "b":[1,{number}]}}{{"c":"{number}"}}\n[{number}]\n{number}'
    values = [{"a": number}, {"a": number, "b": [1, number]}, {"c": str(number)}, [number]]
    assert [item[0] for item in read(text, block_bytes)][:4] == values


def test_numbers_that_python_has_not_are_their_texts():
    digits = "1" * 5000
    assert read(f'{{"a":{digits}}}\n{{"a":1e400}}\n', 10_000) == [({"a": digits}, 1), ({"a": "1e400"}, 2)]


def test_a_long_integer_nested_too_deeply_is_a_broken_document():
    text = '{"a":' + "[" * 1000 + "1" * 20 + "]" * 1000 + "}\n"
    assert read(text, 10_000)[0][:2] == ("Invalid JSON document", 1)


@pytest.mark.parametrize("line_end", ["", "\n"])
@pytest.mark.parametrize("closed", ["", '"}'])
def test_a_document_beyond_the_limit_ends_the_load(monkeypatch, line_end, closed):
    monkeypatch.setattr(documents, "MAX_DOCUMENT_BYTES", 100)
    text = f'{{"a":"{"x" * 200}{closed}{line_end}'.encode()
    last = list(DocumentReader([text[:50], text[50:]]))[-1]
    assert isinstance(last, BadDocument)
    assert last.fatal
    assert "exceeds" in last.reason


def test_lines_are_counted_with_an_unfinished_last_one():
    for text, lines in (("", 0), ("{}", 1), ("{}\n", 1), ("{}\n{}", 2), ('{\n"a":1}', 2)):
        reader = DocumentReader([text.encode()])
        list(reader)
        assert reader.lines == lines


@pytest.mark.parametrize("seed", range(20))
def test_any_spacing_and_any_blocks_give_the_same_documents(seed):
    source = random.Random(seed)
    values = [_value(source) for _ in range(30)]
    text = b"".join(
        orjson.dumps(value, option=orjson.OPT_INDENT_2 if source.random() < 0.5 else None)
        + source.choice([b"", b"\n", b" \n\n", b"\r\n"])
        for value in values
    )
    assert [value for value, _ in read(text, source.choice([1, 3, 50, 10_000]))] == values


def _value(source):
    texts = ["plain", 'quote " brace }', "back \\ slash", "line\nbreak", "ä{[", "", "\\"]
    return {
        source.choice(texts): source.choice(
            [source.choice(texts), {"n": [source.random(), {"d": None}]}, 1, []]
        )
        for _ in range(source.randrange(4))
    }
