"""JSON values to PostgreSQL's COPY text, by column type and COPY option; times are in test_copy_times.py."""

import orjson
import pytest

from sandbox.redshift.copy.errors import CopyError
from tests.sandbox.redshift.converting import NULL, TIMESTAMP, TIMESTAMPTZ, VARCHAR, convert, refused

EVERY_TYPE = [
    *("smallint", "integer", "bigint", "numeric", "real", "double precision", "boolean"),
    *("character", VARCHAR, "date", "time without time zone", TIMESTAMP, TIMESTAMPTZ, "jsonb"),
]


@pytest.mark.parametrize("type_name", EVERY_TYPE)
def test_null_is_null_and_an_error_in_a_not_null_column(type_name):
    assert convert(type_name, None) == NULL
    assert refused(type_name, None, not_null=True) == (1213, "Missing data for not-null field")


@pytest.mark.parametrize("type_name", [name for name in EVERY_TYPE if "char" not in name and name != "jsonb"])
@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_or_blank_text_is_null_for_every_type_but_strings(type_name, text):
    assert convert(type_name, text) == NULL


def test_an_unknown_type_is_refused_by_name():
    with pytest.raises(CopyError, match="column 'c' of type bytea"):
        convert("bytea", "x")


@pytest.mark.parametrize(
    ("type_name", "value", "text"),
    [
        ("integer", 5, "5"),
        ("integer", "-12", "-12"),
        ("integer", " +7 ", "7"),
        ("bigint", 1540919166796.0, "1540919166796"),
        ("bigint", 9223372036854775807, "9223372036854775807"),
        ("smallint", -32768, "-32768"),
        ("integer", 1e5, "100000"),
    ],
)
def test_integers(type_name, value, text):
    assert convert(type_name, value) == text


@pytest.mark.parametrize(
    ("type_name", "value", "code", "reason"),
    [
        ("integer", "abc", 1207, "Invalid digit, Value 'a', Pos 0, Type: Integer"),
        ("bigint", "12x", 1207, "Invalid digit, Value 'x', Pos 2, Type: Long"),
        ("bigint", "1540919166796.0", 1207, "Invalid digit, Value '.', Pos 13, Type: Long"),
        ("smallint", 1.5, 1207, "Invalid digit, Value '.', Pos 1, Type: Short"),
        ("integer", True, 1207, "Invalid digit, Value 't', Pos 0, Type: Integer"),
        ("integer", {"a": 1}, 1207, "Invalid digit, Value '{', Pos 0, Type: Integer"),
        ("integer", "-", 1207, "Invalid digit, Value '-', Pos 0, Type: Integer"),
        ("smallint", 32768, 1222, "Overflow (Short valid range -32768 to 32767)"),
        ("integer", -2147483649, 1222, "Overflow (Integer valid range -2147483648 to 2147483647)"),
        ("bigint", 1e19, 1222, "Overflow (Long valid range -9223372036854775808 to 9223372036854775807)"),
    ],
)
def test_what_is_no_integer_or_too_large(type_name, value, code, reason):
    assert refused(type_name, value) == (code, reason)


@pytest.mark.parametrize(
    ("value", "cut", "rounded"),
    [
        (20.259, "20.25", "20.26"),
        (-20.259, "-20.25", "-20.26"),
        ("20.259", "20.25", "20.26"),
        (0.005, "0.00", "0.01"),
        (999999.5, "999999.50", "999999.50"),
        (7, "7.00", "7.00"),
        (1e-7, "0.00", "0.00"),
        ("1e3", "1000.00", "1000.00"),
        # Their doubles are less; in quotes they are what they say.
        (999999.99, "999999.98", "999999.99"),
        (0.29, "0.28", "0.29"),
        (-1.15, "-1.14", "-1.15"),
        ("0.29", "0.29", "0.29"),
    ],
)
def test_copy_cuts_a_decimals_excess_digits_and_roundec_rounds_them(value, cut, rounded):
    assert convert("numeric", value, precision=8, scale=2) == cut
    assert convert("numeric", value, precision=8, scale=2, round_decimals=True) == rounded


@pytest.mark.parametrize(
    ("value", "code", "reason"),
    [
        (1000000, 1204, "Overflow for NUMERIC(8,2)"),
        ("1e500", 1204, "Overflow for NUMERIC(8,2)"),
        ("1,5", 1207, "Invalid digit, Value ',', Pos 1, Type: Decimal"),
        ("1.2.3", 1209, "Invalid number '1.2.3', Type: Decimal"),
    ],
)
def test_what_is_no_decimal_or_too_large(value, code, reason):
    assert refused("numeric", value, precision=8, scale=2) == (code, reason)


def test_rounding_up_into_another_digit_overflows():
    assert convert("numeric", 999999.999, precision=8, scale=2) == "999999.99"
    assert refused("numeric", 999999.999, precision=8, scale=2, round_decimals=True)[0] == 1204


@pytest.mark.parametrize(
    ("type_name", "value", "text"),
    [
        ("double precision", 288.9922, "288.9922"),
        ("double precision", 3, "3.0"),
        ("double precision", "1e3", "1000.0"),
        ("double precision", "NaN", "NaN"),
        ("real", 0.5, "0.5"),
        ("real", 1e-50, "0.0"),
    ],
)
def test_floating_point_numbers(type_name, value, text):
    assert convert(type_name, value) == text


@pytest.mark.parametrize(
    ("type_name", "value", "code", "reason"),
    [
        ("double precision", "x1", 1207, "Invalid digit, Value 'x', Pos 0, Type: Double"),
        ("double precision", "1_0", 1207, "Invalid digit, Value '_', Pos 1, Type: Double"),
        ("double precision", "1e", 1208, "Invalid number '1e', Type: Double"),
        ("double precision", "1e999", 1204, "Overflow (Double)"),
        ("real", 1e39, 1204, "Overflow (Float)"),
    ],
)
def test_what_is_no_floating_point_number_or_too_large(type_name, value, code, reason):
    assert refused(type_name, value) == (code, reason)


def test_booleans():
    for value in (True, 1, "1", "t", "TRUE", "y", "Yes"):
        assert convert("boolean", value) == "t"
    for value in (False, 0, "0", "f", "false", "N", "no"):
        assert convert("boolean", value) == "f"
    for value in ("maybe", 2, 1.5):
        assert refused("boolean", value) == (1210, "Unknown boolean format")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", ""),
        ("  ", "  "),
        ("null", "null"),
        ("naïve", "naïve"),
        ("a\tb\nc\rd\\N", r"a\tb\nc\rd\\N"),
        ("\x01\u200b", "\x01\u200b"),
        (5, "5"),
        (1541044398796.0, "1541044398796"),
        (267.91138, "267.91138000000001"),
        (-1.5e300, "-1.5000000000000001e+300"),
        (2**64, "18446744073709551616"),
        (True, "true"),
        ({"a": [1, "é"]}, '{"a":[1,"é"]}'),
        ({"a": 2**70}, '{"a":1180591620717411303424}'),
    ],
)
def test_strings_and_other_values_as_strings(value, text):
    assert convert(VARCHAR, value, length=256) == text


def test_lengths_are_bytes():
    assert convert(VARCHAR, "é" * 5, length=10) == "é" * 5
    assert refused(VARCHAR, "é" * 5 + "e", length=10) == (1204, "String length exceeds DDL length")
    assert convert("character", "abc", length=3) == "abc"
    assert refused("character", "abcd", length=3) == (1204, "Char length exceeds DDL length")
    assert convert(VARCHAR, "x" * 65535) == "x" * 65535
    assert refused(VARCHAR, "x" * 65536)[0] == 1204


def test_a_length_counts_the_character_before_it_is_escaped():
    assert convert(VARCHAR, "\\\\", length=2) == r"\\\\"


def test_truncatecolumns_cuts_between_characters():
    assert convert(VARCHAR, "aé", length=2, truncate_columns=True) == "a"
    assert convert(VARCHAR, "aéb", length=3, truncate_columns=True) == "aé"
    assert convert("character", "abcd", length=2, truncate_columns=True) == "ab"
    assert refused("integer", 2**40, truncate_columns=True)[0] == 1222


def test_blanks_and_empty_texts_become_null_on_request():
    assert convert(VARCHAR, "", blanks_as_null=True) == ""
    assert convert(VARCHAR, " \t", blanks_as_null=True) == NULL
    assert convert(VARCHAR, "", empty_as_null=True) == NULL
    assert convert(VARCHAR, " ", empty_as_null=True) == " "
    assert convert(VARCHAR, " a ", trim_blanks=True) == " a"
    assert refused(VARCHAR, "", empty_as_null=True, not_null=True)[0] == 1213


@pytest.mark.parametrize(
    ("value", "sequence"),
    [
        (b"a\xa4b", "a4 (error 3)"),
        (b"a\xf9\x80", "f9 80 (error 1)"),
        (b"caf\xc3", "c3 (error 2)"),
        (b"\0", "00 (error 3)"),
    ],
)
def test_invalid_utf8_names_its_bytes(value, sequence):
    text = value.decode(errors="surrogateescape")
    reason = f"String contains invalid or unsupported UTF-8 codepoints. Bad UTF-8 hex sequence: {sequence}"
    assert refused(VARCHAR, text) == (1220, reason)
    assert refused("jsonb", {"a": [text]})[0] == 1220


def test_half_a_surrogate_pair_is_invalid():
    assert refused(VARCHAR, "\ud800") == (
        1220,
        "String contains invalid or unsupported UTF-8 codepoints. Bad UTF-8 hex sequence: ed a0 80 (error 5)",
    )


def test_acceptinvchars_replaces_each_bad_byte():
    text = b"a\xa4\xa5b\0".decode(errors="surrogateescape")
    assert convert(VARCHAR, text, accept_invalid_chars="^") == "a^^b^"
    assert convert(VARCHAR, "a\ud800", accept_invalid_chars="^") == "a^^^"


@pytest.mark.parametrize("code", [0xFDD0, 0xFDEF, 0xFFFE, 0xFFFF, 0x1FFFE, 0x10FFFF])
def test_acceptinvchars_replaces_the_bytes_of_noncharacters_which_load_without_it(code):
    text = f"a{chr(code)}"
    assert convert(VARCHAR, text) == text
    assert convert(VARCHAR, text, accept_invalid_chars="^") == "a" + "^" * (3 if code < 0x10000 else 4)


@pytest.mark.parametrize("code", [0xFDCF, 0xFDF0, 0xFFFD, 0x10FFFD])
def test_acceptinvchars_keeps_the_neighbours_of_noncharacters(code):
    assert convert(VARCHAR, chr(code), accept_invalid_chars="^") == chr(code)


def test_char_takes_single_byte_characters_only():
    reason = "Multibyte character not supported for CHAR (Hint: Try using  VARCHAR). Invalid char: c3 a9"
    assert refused("character", "é", length=9) == (1220, reason)
    assert refused("character", "é", length=9, accept_invalid_chars="?") == (1220, reason)


def test_super_keeps_json():
    assert orjson.loads(convert("jsonb", {"a": ["x", 1]})) == {"a": ["x", 1]}
    assert convert("jsonb", "x") == '"x"'
    assert convert("jsonb", "a\\u0000") == r'"a\\\\u0000"'
