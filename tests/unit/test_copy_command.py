import pytest

from sparkify.copy_command import CopyCommand


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
