"""What a failure means: try again, or stop and say what to mend."""

import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as AwsConnectionError

from sparkify.text import printable


class FatalError(Exception):
    """A load that cannot succeed by trying again; the message says where it failed and what to mend."""


class SourceChanged(Exception):  # noqa: N818 - an event to start over on, not a fault
    """The source changed, or another load staged it, during this load; listing it again settles that."""


@dataclass(frozen=True, slots=True)
class DatabaseFailure:
    """A database error in the same shape for every driver."""

    sqlstate: str
    message: str
    detail: str

    def __str__(self) -> str:
        text = self.message + (f" ({self.detail})" if self.detail else "")
        return f"{text} [SQLSTATE {self.sqlstate}]" if self.sqlstate else text


@dataclass(frozen=True, slots=True)
class FailureClass:
    """One row of the table of failures: how it is recognised, whether it passes by itself, what to do."""

    name: str
    transient: bool
    pattern: str
    remedy: str


# The first class whose pattern matches "SQLSTATE|message|detail" decides, so the specific ones come first.
DATABASE_FAILURES = (
    FailureClass(
        "wrong login",
        False,
        r"^28|password authentication failed|Server refuses SSL",
        "Check login, password and extra of the Airflow connection.",
    ),
    FailureClass(
        "unknown database",
        False,
        r"^3D000|database \"[^\"]*\" does not exist",
        "Check the schema field (the database) of the Airflow connection.",
    ),
    FailureClass(
        "serialization conflict",
        True,
        r"^40001|^40P01|^XX000\|10(18|23)\||Serializable isolation violation|deadlock detected"
        r"|conflict with concurrent transaction|could not open relation with OID",
        "Nothing: another load wrote the same table first and this one is tried again.",
    ),
    FailureClass(
        "made at the same time",
        True,
        r"^42P0[67]|tuple concurrently updated|pg_(class|type|namespace)\w*_index",
        "Nothing: another run was creating the same table; this one finds it there.",
    ),
    FailureClass(
        "S3 not answering",
        True,
        r"Status 5\d\d|SlowDown|InternalError,|NoSuchKey|S3 does not answer|broke off|transfer closed",
        "Nothing: S3 was busy or a listed file was being replaced; the load lists and copies again.",
    ),
    FailureClass(
        "wrong region",
        False,
        r"PermanentRedirect|addressed using the specified endpoint",
        "Name the region that the bucket is in (for Sparkify in the Airflow Variable sparkify_region).",
    ),
    FailureClass(
        "access denied",
        False,
        r"^42501|Access ?Denied|Status 403|not authorized to assume",
        "Grant the IAM role read access to the bucket, or the database user rights on the table.",
    ),
    FailureClass(
        "bad data",
        False,
        r"Load into table '[^']*' failed",
        "Mend the named line of the file, or raise max_errors, then clear the task.",
    ),
    FailureClass(
        "missing table",
        False,
        r"^42P01|Cannot COPY into nonexistent table|relation .* does not exist",
        "Run the task that creates the tables (create_tables), then clear this one.",
    ),
    FailureClass(
        "cancelled or too long",
        False,
        r"^57014",
        "Raise statement_timeout or the WLM limit, or load a smaller window.",
    ),
    FailureClass(
        "connection lost",
        True,
        r"^08|^57P0|connection.*(closed|reset|refused|lost)|server closed|[Cc]ommunication error|timed? ?out"
        r"|BrokenPipe|starting up|shutting down|SSL SYSCALL",
        "Check that the cluster is available and the connection's host and port are right.",
    ),
    FailureClass("no room", True, r"^53", "Free disk space or connections on the cluster."),
    FailureClass(
        "bad SQL or data", False, r"", "Mend the statement or the data it reads, then clear the task."
    ),
)

# The same for AWS's own errors (listing S3, temporary credentials), by their code.
AWS_FAILURES = (
    FailureClass(
        "AWS busy",
        True,
        r"Throttl|SlowDown|RequestLimit|InternalError|InternalFailure|ServiceUnavailable|^5\d\d$|RequestTimeout$"
        r"|OperationAborted",  # another request is making the same bucket
        "Nothing: AWS was busy and is asked again.",
    ),
    FailureClass(
        "cluster not ready",
        True,
        r"InvalidClusterState",
        "Wait until the cluster is available; resume it if it is paused.",
    ),
    FailureClass(
        "no cluster",
        False,
        r"ClusterNotFound",
        "Create the cluster, or mend cluster_identifier and region in the extra of the Airflow connection.",
    ),
    FailureClass(
        "no bucket", False, r"NoSuchBucket", "Create the bucket, or mend the Airflow Variable that names it."
    ),
    FailureClass(
        "no bucket's name",
        False,
        r"InvalidBucketName",
        "Give the bucket's name alone, without s3:// and key; mend the Airflow Variable that names it.",
    ),
    FailureClass(
        "no access to S3",
        False,
        r"^403$",
        "Check that the bucket's name is right and that the AWS connection's identity may read it.",
    ),
    FailureClass(
        "not allowed on AWS",
        False,
        r"AccessDenied|Unauthorized",
        "Give the AWS connection's identity the right to do this: read access to the bucket, for example.",
    ),
    FailureClass(
        "wrong AWS credentials",
        False,
        r"InvalidAccessKeyId|SignatureDoesNotMatch|InvalidClientTokenId|ExpiredToken|UnrecognizedClient",
        "Check login and password of the AWS connection.",
    ),
    FailureClass("refused by AWS", False, r"", "Check the AWS connection and the bucket."),
)


def describe(error: BaseException) -> DatabaseFailure | None:
    """Return the database's own account of `error`, or None where the error is none of a database driver."""
    for cause in _chain(error):
        if type(cause).__module__.split(".")[0] not in {"redshift_connector", "psycopg2", "psycopg"}:
            continue
        fields = cause.args[0] if cause.args and isinstance(cause.args[0], dict) else {}
        diagnostics = getattr(cause, "diag", None)
        return DatabaseFailure(
            sqlstate=fields.get("C")
            or getattr(cause, "pgcode", None)
            or getattr(cause, "sqlstate", None)
            or "",
            message=fields.get("M") or getattr(diagnostics, "message_primary", None) or str(cause).strip(),
            detail=fields.get("D") or getattr(diagnostics, "message_detail", None) or "",
        )
    return None


def classify(failure: DatabaseFailure) -> FailureClass:
    """Return the class of a database failure; the last class takes whatever no other does."""
    text = f"{failure.sqlstate}|{failure.message}|{failure.detail}"
    return next(known for known in DATABASE_FAILURES if re.search(known.pattern, text))


def classify_aws(error: ClientError) -> FailureClass:
    """Return the class of an error that AWS answered with."""
    code = str(error.response["Error"].get("Code", ""))
    return next(known for known in AWS_FAILURES if re.search(known.pattern, code))


def is_transient(error: BaseException) -> bool:
    """Tell whether trying the same load again can succeed without anybody mending anything."""
    if isinstance(error, FatalError):
        return False
    if isinstance(error, SourceChanged | AwsConnectionError | HTTPClientError):
        return True
    if isinstance(error, ClientError):
        return classify_aws(error).transient
    failure = describe(error)
    return (
        classify(failure).transient
        if failure
        else isinstance(error, ConnectionError | TimeoutError | socket.gaierror)
    )


def explain(error: BaseException, what: str) -> str:
    """Return one message for people: what was being done, what happened, and what to do next.

    Args:
        error: the exception as it was raised.
        what: the action with its table and connection, for example `Loading users over redshift_default`.
    """
    # Messages of servers quote what somebody has written.
    return printable(_explain(error, what), keep="\n")


def _explain(error: BaseException, what: str) -> str:
    if isinstance(error, FatalError):
        return str(error)
    if isinstance(error, SourceChanged):
        return f"{what} starts over: {error}."
    if isinstance(error, ClientError):
        known: Mapping[str, object] = error.response["Error"]
        code = str(known.get("Code", ""))
        remedy = classify_aws(error).remedy
        bucket = f" (bucket {known['BucketName']})" if "BucketName" in known else ""
        said = f"{code}: {str(known.get('Message', '')).rstrip('.')}{bucket}"
        return f"{what} failed: {error.operation_name} was refused, {said}. {remedy}"
    if isinstance(error, BotoCoreError):
        return f"{what} failed: {error} Check the AWS connection (endpoint, region, credentials)."
    failure = describe(error)
    if failure is None:
        return f"{what} failed: {type(error).__name__}: {error}"
    said = " ".join(str(failure).split()).rstrip(".?")
    return f"{what} failed: {said}. {classify(failure).remedy}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
