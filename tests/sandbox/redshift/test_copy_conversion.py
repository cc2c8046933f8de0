"""JSON values to PostgreSQL's COPY text, by column type and COPY option."""

import datetime as dt

import orjson
import pytest

from sandbox.redshift.copy.columns import TargetColumn, converter_for
from sandbox.redshift.copy.errors import ConversionError, CopyError
from sandbox.redshift.copy.options import Options

NULL = r"\N"
TIMESTAMP, TIMESTAMPTZ = "timestamp without time zone", "timestamp with time zone"
VARCHAR = "character varying"


def convert(type_name, value, *, length=None, precision=None, scale=None, not_null=False, **options):
    column = TargetColumn("c", type_name, length, precision, scale, not_null)
    return converter_for(column, Options(json="auto", **options))(value)


def refused(*arguments, **named):
    with pytest.raises(ConversionError) as caught:
        convert(*arguments, **named)
    return caught.value.code, caught.value.reason


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


@pytest.mark.parametrize(
    ("value", "options", "text"),
    [
        ("2018-11-02", {}, "2018-11-02"),
        ("2018-11-02 01:25:34", {"date_format": "auto"}, "2018-11-02"),
        ("03/31/2003", {"date_format": "MM/DD/YYYY"}, "2003-03-31"),
        ("March 31, 2003", {"date_format": "MON DD, YYYY"}, "2003-03-31"),
        ("31.12.99", {"date_format": "dd.mm.yy"}, "1999-12-31"),
        (20181102, {"date_format": "auto"}, "2018-11-02"),
        ("Jan-08-95 BC", {"date_format": "auto"}, "0095-01-08 BC"),
        ("0095-01-08 04:05:06 BC", {"date_format": "auto"}, "0095-01-08 BC"),
        ("08 Jan 0095 BC", {"date_format": "auto"}, "0095-01-08 BC"),
        ("01/08/0095 BC", {"date_format": "auto"}, "0095-01-08 BC"),
        ("1996.008", {"date_format": "auto"}, "1996-01-08"),
        ("J2451187", {"date_format": "auto"}, "1999-01-08"),
        ("not a date", {"accept_any_date": True}, NULL),
    ],
)
def test_dates(value, options, text):
    assert convert("date", value, **options) == text


@pytest.mark.parametrize(
    ("value", "options", "reason"),
    [
        ("2018-1-2", {}, "Invalid Date Format - length must be 10 or more"),
        ("2018-02-30", {}, "Invalid Date Format or value [YYYY-MM-DD]"),
        ("2018-11-02T01:02:03", {}, "Invalid Date Format or value [YYYY-MM-DD]"),
        ("1996.008 BC", {"date_format": "auto"}, "Invalid Date Format or value [auto]"),
        ("J2451187 BC", {"date_format": "auto"}, "Invalid Date Format or value [auto]"),
        ("0004-02-29 BC", {"date_format": "auto"}, "Invalid Date Format or value [auto]"),
        ("1996.367", {"date_format": "auto"}, "Invalid Date Format or value [auto]"),
        ("31.13.99", {"date_format": "DD.MM.YY"}, "Invalid Date Format or value [DD.MM.YY]"),
    ],
)
def test_what_is_no_date(value, options, reason):
    assert refused("date", value, **options) == (1205, reason)


@pytest.mark.parametrize(
    ("value", "options", "text"),
    [
        ("2018-11-02 01:25:34", {}, "2018-11-02 01:25:34"),
        ("2018-11-02 01:25:34.796", {}, "2018-11-02 01:25:34.796000"),
        ("2018-11-02", {}, "2018-11-02 00:00:00"),
        (1541121934796, {"time_format": "epochmillisecs"}, "2018-11-02 01:25:34.796000"),
        (1541121934796.0, {"time_format": "epochmillisecs"}, "2018-11-02 01:25:34.796000"),
        ("1541121934796", {"time_format": "epochmillisecs"}, "2018-11-02 01:25:34.796000"),
        (1541121934.5, {"time_format": "epochsecs"}, "2018-11-02 01:25:34.500000"),
        (1541121934, {"time_format": "epochsecs"}, "2018-11-02 01:25:34.000000"),
        (-1, {"time_format": "epochmillisecs"}, "1969-12-31 23:59:59.999000"),
        ("03.31.2003 18:45:05.123456", {"time_format": "MM.DD.YYYY HH:MI:SS"}, "2003-03-31 18:45:05.123456"),
        ("2019-02-11T05:09:12Z", {"time_format": "YYYY-MM-DDTHH24:MI:SSZ"}, "2019-02-11 05:09:12"),
        ("12:00 am 2019-02-11", {"time_format": "HH12:MI AM YYYY-MM-DD"}, "2019-02-11 00:00:00"),
        ("", {"time_format": "epochmillisecs"}, NULL),
        ("never", {"time_format": "epochmillisecs", "accept_any_date": True}, NULL),
    ],
)
def test_timestamps(value, options, text):
    assert convert(TIMESTAMP, value, **options) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        # The documented examples of automatic recognition.
        ("2019-02-11T05:09:12.195Z", "2019-02-11 05:09:12.195000"),
        ("J2451187 04:05:06", "1999-01-08 04:05:06"),
        ("Jan-08-95 BC", "0095-01-08 00:00:00 BC"),
        ("Jan-08-95 04:05:06 BC", "0095-01-08 04:05:06 BC"),
        ("0095-01-08 04:05:06 BC", "0095-01-08 04:05:06 BC"),
        ("0095-01-08T04:05:06.5bc", "0095-01-08 04:05:06.500000 BC"),
        ("0095-01-08 04:05:06 PST BC", "0095-01-08 04:05:06 BC"),
        ("00950108 040506 BC", "0095-01-08 04:05:06 BC"),
        ("08 Jan 04:05:06 0095 BC", "0095-01-08 04:05:06 BC"),
        ("01/08/0095 04:05:06.00 PST BC", "0095-01-08 04:05:06 BC"),
        ("J2345678 04:05:06", "1710-02-23 04:05:06"),
        ("19960108 040809", "1996-01-08 04:08:09"),
        ("960108 040809", "1996-01-08 04:08:09"),
        ("1996-01-08 04:05:06.789", "1996-01-08 04:05:06.789000"),
        ("17 Dec 07:37:16 1997 PST", "1997-12-17 07:37:16"),
        ("12/17/1997 07:37:16.00 PST", "1997-12-17 07:37:16"),
        ("1997-12-17 07:37:16-08", "1997-12-17 07:37:16"),
        ("12.17.1997 07:37:16.00 PST", "1997-12-17 07:37:16"),
        ("31/12/1997", "1997-12-31 00:00:00"),
        ("Dec 17 07:37:16 1997", "1997-12-17 07:37:16"),
        ("17-Dec-1997 7:37 PM", "1997-12-17 19:37:00"),
        ("1997-Dec-17", "1997-12-17 00:00:00"),
        ("December 17, 1997", "1997-12-17 00:00:00"),
    ],
)
def test_automatic_recognition(value, text):
    assert convert(TIMESTAMP, value, time_format="auto") == text


@pytest.mark.parametrize(
    ("value", "options", "shown"),
    [
        ("2018-11-02T01:25:34Z", {}, "YYYY-MM-DD HH24:MI:SS"),
        (1541121934796, {}, "YYYY-MM-DD HH24:MI:SS"),
        (1541121934796, {"time_format": "auto"}, "auto"),
        ("yesterday", {"time_format": "epochmillisecs"}, "epochmillisecs"),
        (10**20, {"time_format": "epochmillisecs"}, "epochmillisecs"),
        (10**12, {"time_format": "epochsecs"}, "epochsecs"),
        ("2018-11-02 24:00:00", {}, "YYYY-MM-DD HH24:MI:SS"),
        ("13:00 PM", {"time_format": "HH12:MI PM"}, "HH12:MI PM"),
    ],
)
def test_what_is_no_timestamp(value, options, shown):
    assert refused(TIMESTAMP, value, **options) == (1206, f"Invalid timestamp format or value [{shown}]")


@pytest.mark.parametrize(
    ("value", "options", "text"),
    [
        ("2018-11-02 01:25:34+02", {}, "2018-11-02 01:25:34+02:00"),
        ("2018-11-02 01:25:34", {}, "2018-11-02 01:25:34+00:00"),
        ("2018-11-02T01:25:34-0530", {"time_format": "auto"}, "2018-11-02 01:25:34-05:30"),
        ("17 Dec 07:37:16 1997 PST", {"time_format": "auto"}, "1997-12-17 07:37:16-08:00"),
        (0, {"time_format": "epochsecs"}, "1970-01-01 00:00:00.000000+00"),
    ],
)
def test_timestamps_with_a_zone(value, options, text):
    assert convert(TIMESTAMPTZ, value, **options) == text


def test_an_unknown_zone_is_refused():
    assert refused(TIMESTAMPTZ, "17 Dec 07:37:16 1997 XYZ", time_format="auto")[0] == 1206


def test_times_of_day():
    assert convert("time without time zone", "01:02:03.5") == "01:02:03.500000"
    assert refused("time without time zone", "25:00:00")[0] == 1206


def test_every_day_from_year_1_to_9999_has_its_epoch():
    for day in (dt.datetime(1, 1, 1, tzinfo=dt.UTC), dt.datetime(9999, 12, 31, tzinfo=dt.UTC)):
        seconds = int(day.timestamp())
        assert convert(TIMESTAMP, seconds, time_format="epochsecs").startswith(f"{day:%Y}-".rjust(5, "0"))
