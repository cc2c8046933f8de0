import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from redshift_connector.error import InterfaceError, ProgrammingError

from sparkify.failures import (
    AWS_FAILURES,
    DATABASE_FAILURES,
    FatalError,
    SourceChanged,
    classify,
    describe,
    explain,
    is_transient,
)


def database_error(message, sqlstate="XX000", detail=""):
    return ProgrammingError({"S": "ERROR", "C": sqlstate, "M": message, "D": detail})


def aws_error(code):
    return ClientError({"Error": {"Code": code, "Message": "said AWS"}}, "HeadBucket")


@pytest.mark.parametrize(
    ("error", "name", "transient"),
    [
        (
            database_error("1023", detail="Serializable isolation violation on table - 1"),
            "serialization conflict",
            True,
        ),
        (database_error("deadlock detected", "40P01"), "serialization conflict", True),
        (database_error("Load into table 't' failed.  Check 'stl_load_errors'"), "bad data", False),
        (database_error("Load into table 't' failed. Check 'sys_load_error_detail'"), "bad data", False),
        (database_error("Cannot COPY into nonexistent table t"), "missing table", False),
        (database_error('relation "t" does not exist', "42P01"), "missing table", False),
        (database_error("permission denied for relation t", "42501"), "access denied", False),
        (
            database_error("S3ServiceException:Access Denied,Status 403,Error AccessDenied"),
            "access denied",
            False,
        ),
        (database_error("S3ServiceException:Please reduce your rate,Status 503"), "S3 not answering", True),
        (
            database_error("terminating connection due to administrator command", "57P01"),
            "connection lost",
            True,
        ),
        (database_error("the database system is starting up", "57P03"), "connection lost", True),
        (database_error("password authentication failed for user", "28P01"), "wrong login", False),
        (InterfaceError("communication error"), "connection lost", True),
        (InterfaceError("Server refuses SSL"), "wrong login", False),
        (database_error("syntax error", "42601"), "bad SQL or data", False),
        (database_error('syntax error at or near "1023"', "42601"), "bad SQL or data", False),
        (database_error("value 1018 out of range", "22003"), "bad SQL or data", False),
        (
            database_error("could not complete because of conflict with concurrent transaction"),
            "serialization conflict",
            True,
        ),
        (
            database_error("canceling statement due to statement timeout", "57014"),
            "cancelled or too long",
            False,
        ),
    ],
)
def test_a_database_failure_is_told_apart_by_what_the_database_says(error, name, transient):
    failure = describe(error)
    assert failure is not None
    assert classify(failure).name == name
    assert is_transient(error) is transient


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (aws_error("SlowDown"), True),
        (aws_error("ThrottlingException"), True),
        (aws_error("503"), True),
        (aws_error("InternalFailure"), True),
        (aws_error("OperationAborted"), True),
        (aws_error("InvalidClusterState"), True),
        (aws_error("ClusterNotFound"), False),
        (aws_error("ExpiredToken"), False),
        (aws_error("NoSuchBucket"), False),
        (aws_error("AccessDenied"), False),
        (EndpointConnectionError(endpoint_url="http://x"), True),
        (SourceChanged("newer"), True),
        (FatalError("bad"), False),
        (ConnectionResetError("gone"), True),
        (FileNotFoundError("a.sql"), False),
        (ValueError("a bug"), False),
    ],
)
def test_other_failures_are_tried_again_only_where_they_can_pass(error, transient):
    assert is_transient(error) is transient


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
