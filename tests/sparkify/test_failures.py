import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from redshift_connector.error import InterfaceError, ProgrammingError

from sparkify.aws import NotYet
from sparkify.checks import SuiteError
from sparkify.cluster.plan import PlanError
from sparkify.failures import (
    AWS_FAILURES,
    DATABASE_FAILURES,
    Fatal,
    FatalError,
    SourceChanged,
    Transient,
    TransientError,
    classify,
    describe,
    diagnose,
    explain,
    is_transient,
)
from sparkify.window import WindowError


def database_error(message, sqlstate="XX000", detail=""):
    return ProgrammingError({"S": "ERROR", "C": sqlstate, "M": message, "D": detail})


def aws_error(code):
    return ClientError({"Error": {"Code": code, "Message": "said AWS"}}, "HeadBucket")


@pytest.mark.parametrize(
    ("error", "name", "kind"),
    [
        (
            database_error("1023", detail="Serializable isolation violation on table - 1"),
            "serialization conflict",
            Transient,
        ),
        (database_error("deadlock detected", "40P01"), "serialization conflict", Transient),
        (database_error("Load into table 't' failed.  Check 'stl_load_errors'"), "bad data", Fatal),
        (database_error("Load into table 't' failed. Check 'sys_load_error_detail'"), "bad data", Fatal),
        (database_error("Cannot COPY into nonexistent table t"), "missing table", Fatal),
        (database_error('relation "t" does not exist', "42P01"), "missing table", Fatal),
        (database_error("permission denied for relation t", "42501"), "access denied", Fatal),
        (
            database_error("S3ServiceException:Access Denied,Status 403,Error AccessDenied"),
            "access denied",
            Fatal,
        ),
        (
            database_error("S3ServiceException:Please reduce your rate,Status 503"),
            "S3 not answering",
            Transient,
        ),
        (
            database_error("terminating connection due to administrator command", "57P01"),
            "connection lost",
            Transient,
        ),
        (database_error("the database system is starting up", "57P03"), "connection lost", Transient),
        (database_error("password authentication failed for user", "28P01"), "wrong login", Fatal),
        (InterfaceError("communication error"), "connection lost", Transient),
        (InterfaceError("Server refuses SSL"), "wrong login", Fatal),
        (database_error("syntax error", "42601"), "bad SQL or data", Fatal),
        (database_error('syntax error at or near "1023"', "42601"), "bad SQL or data", Fatal),
        (database_error("value 1018 out of range", "22003"), "bad SQL or data", Fatal),
        (
            database_error("could not complete because of conflict with concurrent transaction"),
            "serialization conflict",
            Transient,
        ),
        (
            database_error("canceling statement due to statement timeout", "57014"),
            "cancelled or too long",
            Fatal,
        ),
        (database_error("cannot set an identity column to a value", "0A000"), "identity column", Fatal),
        (
            database_error('cannot insert a non-DEFAULT value into column "id"', "428C9"),
            "identity column",
            Fatal,
        ),
    ],
)
def test_a_database_failure_is_told_apart_by_what_the_database_says(error, name, kind):
    failure = describe(error)
    assert failure is not None
    assert classify(failure) is diagnose(error)
    assert (diagnose(error).name, type(diagnose(error))) == (name, kind)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (aws_error("SlowDown"), Transient),
        (aws_error("ThrottlingException"), Transient),
        (aws_error("503"), Transient),
        (aws_error("InternalFailure"), Transient),
        (aws_error("OperationAborted"), Transient),
        (aws_error("InvalidClusterState"), Transient),
        (aws_error("ClusterNotFound"), Fatal),
        (aws_error("ExpiredToken"), Fatal),
        (aws_error("NoSuchBucket"), Fatal),
        (aws_error("AccessDenied"), Fatal),
        (EndpointConnectionError(endpoint_url="http://x"), Transient),
        (SourceChanged("newer"), Transient),
        (NotYet("creating"), Transient),
        (TransientError("busy"), Transient),
        (NoCredentialsError(), Fatal),
        (WindowError("none"), Fatal),
        (PlanError("none"), Fatal),
        (SuiteError("none"), Fatal),
        (FatalError("bad"), Fatal),
        (ConnectionResetError("gone"), Transient),
        (FileNotFoundError("a.sql"), Fatal),
        (ValueError("a bug"), Fatal),
    ],
)
def test_other_failures_are_tried_again_only_where_they_can_pass(error, kind):
    assert type(diagnose(error)) is kind
    assert is_transient(error) is (kind is Transient)


def test_the_error_of_the_driver_is_found_behind_the_one_that_hides_it():
    outer = RuntimeError("wrapped")
    outer.__cause__ = database_error("1023")
    assert is_transient(outer)


def test_the_explanation_says_what_happened_and_what_to_do():
    text = explain(database_error("Cannot COPY into nonexistent table t"), "Loading t over redshift_default")
    assert text.startswith("Loading t over redshift_default failed: Cannot COPY into nonexistent table t")
    assert "create_tables" in text


def test_a_missing_bucket_names_the_remedy():
    assert "Create the bucket" in explain(aws_error("NoSuchBucket"), "Loading t over redshift_default")


def test_every_class_says_what_to_do():
    assert all(known.remedy for known in (*DATABASE_FAILURES, *AWS_FAILURES))


def test_an_identity_column_is_mended_in_the_table_and_not_in_the_files():
    text = explain(
        database_error("cannot set an identity column to a value"), "Staging t over redshift_default"
    )
    assert "Make the column an ordinary one" in text
    assert "file" not in text


def test_a_fatal_error_ends_with_its_remedy():
    error = FatalError("No window.", "Give both ends.")
    assert explain(error, "Loading t") == str(error) == "No window. Give both ends."
    assert diagnose(error).remedy == "Give both ends."


def test_what_passes_is_told_as_something_that_starts_over():
    assert explain(TransientError("S3 changed."), "Loading t") == "Loading t starts over: S3 changed."


def test_no_connection_to_aws_names_the_connection_as_what_to_check():
    text = explain(EndpointConnectionError(endpoint_url="http://x"), "Loading t")
    assert text == (
        'Loading t failed: Could not connect to the endpoint URL: "http://x". '
        "Check the AWS connection (endpoint, region, credentials)."
    )
