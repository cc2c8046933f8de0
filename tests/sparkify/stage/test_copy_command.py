import pytest

from sparkify.stage.copy_command import CopyCommand


def command(**changes):
    return CopyCommand(
        **{"table": "incoming", "columns": ["a", "b"], "manifest": "s3://work/manifests/1.json", **changes}
    )


def test_the_statement_copies_exactly_the_manifest_with_the_default_role():
    assert command().sql == (
        'COPY "incoming" ("a", "b")\n'
        "FROM 's3://work/manifests/1.json'\n"
        "IAM_ROLE default\n"
        "FORMAT AS JSON 'auto'\n"
        "MANIFEST\n"
        "COMPUPDATE OFF\n"
        "STATUPDATE OFF"
    )


def test_every_argument_reaches_the_statement():
    sql = command(
        json="s3://work/p.json",
        iam_role="arn:aws:iam::123456789012:role/load",
        region="eu-west-1",
        gzip=True,
        max_errors=5,
        options=["TIMEFORMAT AS 'epochmillisecs'"],
    ).sql
    for part in (
        "JSON 's3://work/p.json'",
        "IAM_ROLE 'arn:aws:iam::123456789012:role/load'",
        "REGION 'eu-west-1'",
        "GZIP",
        "MAXERROR 6",
        "TIMEFORMAT AS 'epochmillisecs'",
    ):
        assert part in sql.splitlines() or part in sql


@pytest.mark.parametrize(
    "option",
    ["ACCESS_KEY_ID 'x'", "secret_access_key 'x'", "credentials 'aws_access_key_id=x'", "SESSION_TOKEN 'x'"],
)
def test_credentials_never_enter_the_statement(option):
    with pytest.raises(ValueError, match="credentials from iam_role only"):
        command(options=[option])


def test_a_role_that_is_no_role_is_refused():
    with pytest.raises(ValueError, match="neither 'default' nor the ARN"):
        command(iam_role="my-role")


@pytest.mark.parametrize(
    "option",
    [
        "MAXERROR 10",
        "maxerror as 10",
        "TIMEFORMAT 'auto' MAXERROR 10",
        "TIMEFORMAT 'auto'/**/MAXERROR 10",
        "TIMEFORMAT 'auto' -- ' \n MAXERROR 10",
        r"TIMEFORMAT 'it\\' MAXERROR 10 NULL '",
        "IGNOREALLERRORS",
        "NOLOAD",
        "IGNOREHEADER 1",
        "IGNOREHEADER AS 1",
        "IGNOREBLANKLINES",
        "FILLRECORD",
        "MANIFEST",
        "CSV",
        "DELIMITER ','",
        "FORMAT AS PARQUET",
        "GZIP",
        "REGION 'eu-west-1'",
        "READRATIO 10",
        "JOB CREATE hourly AUTO ON",
        "TRUNCATECOLUMNS; DELETE FROM songplays",
        "",
    ],
)
def test_what_is_counted_cannot_be_switched_off_by_an_option(option):
    with pytest.raises(ValueError, match="not which rows arrive"):
        command(options=[option])


@pytest.mark.parametrize(
    "option",
    [
        "TIMEFORMAT 'YYYY-MM-DD HH24:MI:SS'",
        "DATEFORMAT AS 'auto'",
        "dateformat'auto'",
        "ACCEPTINVCHARS",
        "ACCEPTINVCHARS AS '%'",
        "NULL AS ''''",
        r"NULL AS '\\N'",
        "ENCODING UTF16LE",
        "ENCODING AS UTF8",
        "TRUNCATECOLUMNS TRIMBLANKS\nBLANKSASNULL",
        "ZSTD",
    ],
)
def test_options_that_say_how_a_value_is_read_are_taken(option):
    assert command(options=[option]).sql.endswith(option)
