"""COPY statements and their options."""

import pytest

from sandbox.redshift.copy.command import CopyError, parse_copy
from sandbox.redshift.copy.credentials import mask_credentials

ROLE = "IAM_ROLE default"
JSON = "FORMAT AS JSON 'auto'"


def parse(text):
    return parse_copy(f"COPY t FROM 's3://b/p' {text}")


def refused(text):
    with pytest.raises(CopyError) as caught:
        parse(text)
    return caught.value


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "COPY t FROM STDIN",
        "COPY t TO STDOUT",
        "COPY (SELECT 'FROM') TO STDOUT",
        "copyright FROM 's3://b/p'",
        "",
    ],
)
def test_other_statements_are_not_a_copy_from_s3(sql):
    assert parse_copy(sql) is None


def test_names_fold_to_lower_case_even_inside_quotes():
    command = parse_copy(f'/* a */ copy "Ops".Events ("Artist", Song) FROM \'s3://b/p\' {ROLE} {JSON};')
    assert (command.schema, command.table, command.columns) == ("ops", "events", ("artist", "song"))
    assert command.backend_sql() == 'COPY "ops"."events" ("artist", "song") FROM STDIN'


def test_the_backend_statement_names_the_tables_columns_when_the_copy_has_none():
    command = parse(f"{ROLE} {JSON}")
    assert command.columns is None
    assert command.backend_sql(["a", 'b"']) == 'COPY "t" ("a", "b""") FROM STDIN'
    with pytest.raises(ValueError, match="columns"):
        command.backend_sql()


def test_temp_tables_with_a_number_sign_are_targets():
    assert parse_copy(f"COPY #stage FROM 's3://b/p' {ROLE} {JSON}").table == "#stage"


def test_every_option_is_read_in_any_order():
    options = parse(
        "COMPROWS 1000 MAXERROR AS 5 STATUPDATE OFF COMPUPDATE PRESET TRUNCATECOLUMNS BLANKSASNULL "
        "ACCEPTINVCHARS '^' GZIP REGION AS 'eu-west-1' MANIFEST TIMEFORMAT 'epochmillisecs' "
        "JSON 's3://b/paths' DATEFORMAT AS 'DD.MM.YYYY' EMPTYASNULL ACCEPTANYDATE ROUNDEC "
        "ENCODING UTF16LE NOLOAD EXPLICIT_IDS IGNOREHEADER 2 TRIMBLANKS "
        "IAM_ROLE 'arn:aws:iam::123456789012:role/r'"
    ).options
    assert vars(options) == {
        "json": "s3://b/paths",
        "region": "eu-west-1",
        "manifest": True,
        "compression": "GZIP",
        "time_format": "epochmillisecs",
        "date_format": "DD.MM.YYYY",
        "max_error": 5,
        "ignore_all_errors": False,
        "truncate_columns": True,
        "trim_blanks": True,
        "blanks_as_null": True,
        "empty_as_null": True,
        "accept_invalid_chars": "^",
        "accept_any_date": True,
        "round_decimals": True,
        "encoding": "utf-16-le",
        "no_load": True,
        "explicit_ids": True,
        "ignore_header": 2,
        "comp_update": "PRESET",
        "stat_update": "OFF",
        "comp_rows": 1000,
        "data_format": "JSON",
        "delimiter": None,
        "quote": '"',
        "escape": False,
        "remove_quotes": False,
        "null_as": None,
        "fill_record": False,
        "ignore_blank_lines": False,
        "fixed_width": (),
        "serialize_to_json": False,
    }


@pytest.mark.parametrize(
    "text",
    ["FORMAT JSON 'auto'", "FORMAT AS JSON AS 'auto'", "JSON 'auto'", "JSON AS 'auto'", "JSON"],
)
def test_the_json_format_may_be_written_in_several_ways(text):
    assert parse(f"{text} {ROLE}").options.json == "auto"


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("IAM_ROLE default", "default"),
        ("iam_role 'arn:aws:iam::123456789012:role/a/b'", "arn:aws:iam::123456789012:role/a/b"),
        (
            "IAM_ROLE 'arn:aws:iam::123456789012:role/a,arn:aws:iam::210987654321:role/b'",
            "arn:aws:iam::123456789012:role/a,arn:aws:iam::210987654321:role/b",
        ),
        ("CREDENTIALS 'aws_iam_role=arn:aws:iam::123456789012:role/a'", "arn:aws:iam::123456789012:role/a"),
    ],
)
def test_a_role_authorizes(text, role):
    assert parse(f"{text} {JSON}").authorization.iam_role == role


@pytest.mark.parametrize(
    "text",
    [
        "WITH CREDENTIALS AS 'aws_access_key_id=AK;aws_secret_access_key=SK;token=TK'",
        "ACCESS_KEY_ID 'AK' SECRET_ACCESS_KEY 'SK' SESSION_TOKEN 'TK'",
    ],
)
def test_access_keys_authorize_and_never_show(text):
    found = parse(f"{text} {JSON}").authorization
    assert (found.access_key_id, found.secret_access_key, found.session_token) == ("AK", "SK", "TK")
    assert not {"AK", "SK", "TK"} & set(repr(found).replace("'", " ").split())
    masked = mask_credentials(f"COPY t FROM 's3://b/p' {text} {JSON}")
    assert not any(secret in masked.replace("TOKEN", "") for secret in ("'AK", "=AK", "SK'", "=SK", "TK'"))
    assert masked.endswith(JSON)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{ROLE} {JSON} FROBNICATE", 'syntax error at or near "FROBNICATE"'),
        (f"{ROLE} {JSON} 'x'", 'syntax error at or near "x"'),
        (f"{ROLE} {JSON} , GZIP", 'syntax error at or near ","'),
        (f"{ROLE} {JSON}; SELECT 1", 'syntax error at or near "SELECT"'),
        (f"{ROLE} {JSON} MAXERROR", "syntax error at end of input"),
        (f"{ROLE} {JSON} REGION eu", 'syntax error at or near "eu"'),
        (f"{ROLE} {JSON} GZIP GZIP", "conflicting or redundant options"),
        (f"{ROLE} {JSON} GZIP BZIP2", "conflicting or redundant options"),
        (f"{ROLE} {JSON} JSON 'auto'", "conflicting or redundant options"),
        (f"{ROLE} {JSON} MAXERROR 1 IGNOREALLERRORS", "conflicting or redundant options"),
        (f"{ROLE} {ROLE} {JSON}", "conflicting or redundant options"),
        (f"{ROLE} CREDENTIALS 'aws_iam_role=x' {JSON}", "conflicting or redundant options"),
        (JSON, "CREDENTIALS argument is required but not supplied"),
        (f"IAM_ROLE 'me' {JSON}", "Invalid IAM_ROLE 'me'"),
        (f"ACCESS_KEY_ID 'a' {JSON}", "COPY needs both the access key id and the secret access key"),
        (f"{ROLE} {JSON} MAXERROR 100001", "MAXERROR is 100001; it must be between 0 and 100000"),
        (f"{ROLE} {JSON} COMPROWS 1", "COMPROWS is 1; it must be between 1000 and 2147483647"),
        (f"{ROLE} {JSON} ENCODING LATIN1", "ENCODING LATIN1 is none of UTF8, UTF16, UTF16LE, UTF16BE"),
        (f"{ROLE} {JSON} ACCEPTINVCHARS 'é'", "ACCEPTINVCHARS takes one ASCII character other than NUL"),
        (f"{ROLE} JSON 'Auto'", "Invalid JSON option 'Auto'"),
        (f"{ROLE} JSON 'noshred'", "JSON 'noshred' is not supported by the sandbox"),
        (f"{ROLE} FORMAT AS ORC", "COPY with ORC is not supported by the sandbox"),
        (f"{ROLE} AVRO 'auto'", "COPY with AVRO is not supported by the sandbox"),
        (f"{ROLE} LZOP", "COPY with LZOP is not supported by the sandbox"),
        (f"{ROLE} {JSON} DELIMITER '|'", "DELIMITER argument is not supported for JSON based COPY"),
        (f"{ROLE} {JSON} NULL AS 'x'", "NULL argument is not supported for JSON based COPY"),
        (f"{ROLE} {JSON} TIMEFORMAT 'HH:QQ'", "Invalid TIMEFORMAT: the format 'HH:QQ'"),
        (f"{ROLE} {JSON} DATEFORMAT 'epochsecs'", "Invalid DATEFORMAT: the format 'epochsecs'"),
        (f"{ROLE} {JSON} REGION 'x", "unterminated quoted string"),
    ],
)
def test_what_copy_does_not_know_is_an_error_that_names_it(text, message):
    assert refused(text).message.startswith(message)


def test_a_secret_in_a_malformed_credentials_text_is_not_repeated():
    error = refused(f"CREDENTIALS 'aws_access_key_id=AK;aws_secret_access_key= SECRET' {JSON}")
    assert "SECRET" not in f"{error.message} {error.detail} {error.hint}"


def test_only_s3_is_a_source():
    with pytest.raises(CopyError, match="COPY from 'dynamodb://x' is not supported") as caught:
        parse_copy(f"COPY t FROM 'dynamodb://x' {ROLE}")
    assert caught.value.sqlstate == "0A000"


@pytest.mark.parametrize(
    ("escape", "byte"), [(r"\377", "0xff"), (r"\xe9", "0xe9"), (r"\000", "0x00"), (r"\\", None), ("ü", None)]
)
def test_escapes_that_are_no_text_are_refused(escape, byte):
    """PostgreSQL, "String Constants with C-Style Escapes": the bytes must be valid in the encoding."""
    sql = f"COPY t FROM E's3://b/{escape}' {ROLE} {JSON}"
    if byte is None:
        assert parse_copy(sql)
        return
    with pytest.raises(CopyError, match=f'invalid byte sequence for encoding "UTF8": {byte}') as caught:
        parse_copy(sql)
    assert caught.value.sqlstate == "22021"
