"""What a failure means: try again, or stop and say what to mend."""

import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as AwsConnectionError

from sparkify.text import printable


class FatalError(Exception):
    """What trying again cannot mend; the message says where it failed and what to mend.

    Args:
        message: what happened.
        remedy: what to do, where the message does not end with it already.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(f"{message} {remedy}".strip())
        self.remedy = remedy


class TransientError(Exception):
    """What may pass by itself: trying the same again, later, can succeed."""


class NoAnswerError(TransientError):
    """Nothing at all comes back from a server; the message says who may connect to it."""


class SourceChanged(TransientError):  # noqa: N818 - an event to start over on, not a fault
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
class Failure:
    """A class of failures: its name, the pattern of what a server says of one, and what to do."""

    name: str
    pattern: str = ""
    remedy: str = ""


class Transient(Failure):
    """Failures that pass by themselves: the same is tried again."""

    __slots__ = ()


class Fatal(Failure):
    """Failures that stay until somebody has mended their cause."""

    __slots__ = ()


# The first class whose pattern matches "SQLSTATE|message|detail" decides, so the specific ones come first.
DATABASE_FAILURES = (
    Fatal(
        "wrong login",
        r"^28|password authentication failed|Server refuses SSL",
        "Check login, password and extra of the Airflow connection.",
    ),
    Fatal(
        "unknown database",
        r"^3D000|database \"[^\"]*\" does not exist",
        "Check the schema field (the database) of the Airflow connection.",
    ),
    Transient(
        "serialization conflict",
        r"^40001|^40P01|^XX000\|10(18|23)\||Serializable isolation violation|deadlock detected"
        r"|conflict with concurrent transaction|could not open relation with OID",
        "Nothing: another load wrote the same table first and this one is tried again.",
    ),
    Transient(
        "made at the same time",
        r"^42P0[67]|tuple concurrently updated|pg_(class|type|namespace)\w*_index",
        "Nothing: another run was creating the same table; this one finds it there.",
    ),
    Transient(
        "S3 not answering",
        r"Status 5\d\d|SlowDown|InternalError,|NoSuchKey|S3 does not answer|broke off|transfer closed",
        "Nothing: S3 was busy or a listed file was being replaced; the load lists and copies again.",
    ),
    Fatal(
        "wrong region",
        r"PermanentRedirect|addressed using the specified endpoint",
        "Name the region that the bucket is in (for Sparkify in the Airflow Variable sparkify_region).",
    ),
    Fatal(
        "access denied",
        r"^42501|Access ?Denied|Status 403|not authorized to assume",
        "Grant the IAM role read access to the bucket, or the database user rights on the table.",
    ),
    Fatal(
        "identity column",
        # Redshift's INSERT ("cannot set …") and COPY without EXPLICIT_IDS, PostgreSQL's INSERT.
        r"^428C9|(?i:identity column)|non-DEFAULT value into column|EXPLICIT_IDS",
        "Make the column an ordinary one, such as BIGINT, in the table and in its DDL: a load fills every "
        "column, and an IDENTITY column only Redshift may fill.",
    ),
    Fatal(
        "bad data",
        r"Load into table '[^']*' failed",
        "Mend the named line of the file, or raise max_errors, then clear the task.",
    ),
    Fatal(
        "missing table",
        r"^42P01|Cannot COPY into nonexistent table|relation .* does not exist",
        "Run the task that creates the tables (create_tables), then clear this one.",
    ),
    Fatal(
        "cancelled or too long",
        r"^57014",
        "Raise statement_timeout or the WLM limit, or load a smaller window.",
    ),
    Transient(
        "connection lost",
        r"^08|^57P0|connection.*(closed|reset|refused|lost)|server closed|[Cc]ommunication error|timed? ?out"
        r"|BrokenPipe|starting up|shutting down|SSL SYSCALL",
        "Check that the cluster is available and the connection's host and port are right.",
    ),
    Transient("no room", r"^53", "Free disk space or connections on the cluster."),
    Fatal("bad SQL or data", r"", "Mend the statement or the data it reads, then clear the task."),
)

# What no server says.
_NO_ANSWER = Transient(
    "AWS not answering", remedy="Check the AWS connection (endpoint, region, credentials)."
)
_NO_CLIENT = Fatal("wrong AWS connection", remedy=_NO_ANSWER.remedy)
_NO_NETWORK = Transient("no network")
_UNKNOWN = Fatal("unknown")

# The same for AWS's own errors (listing S3, temporary credentials), by their code.
AWS_FAILURES = (
    Transient(
        "AWS busy",
        r"Throttl|SlowDown|RequestLimit|InternalError|InternalFailure|ServiceUnavailable|^5\d\d$|RequestTimeout$"
        r"|OperationAborted",  # another request is making the same bucket
        "Nothing: AWS was busy and is asked again.",
    ),
    Transient(
        "cluster not ready",
        r"InvalidClusterState",
        "Wait until the cluster is available; resume it if it is paused.",
    ),
    Fatal(
        "no cluster",
        r"ClusterNotFound",
        "Create the cluster, or mend cluster_identifier and region in the extra of the Airflow connection.",
    ),
    Fatal("no bucket", r"NoSuchBucket", "Create the bucket, or mend the Airflow Variable that names it."),
    Fatal(
        "no bucket's name",
        r"InvalidBucketName",
        "Give the bucket's name alone, without s3:// and key; mend the Airflow Variable that names it.",
    ),
    Fatal(
        "no access to S3",
        r"^403$",
        "Check that the bucket's name is right and that the AWS connection's identity may read it.",
    ),
    Fatal(
        "not allowed on AWS",
        r"AccessDenied|Unauthorized",
        "Give the AWS connection's identity the right to do this: read access to the bucket, for example.",
    ),
    Fatal(
        "wrong AWS credentials",
        r"InvalidAccessKeyId|SignatureDoesNotMatch|InvalidClientTokenId|ExpiredToken|UnrecognizedClient",
        "Check login and password of the AWS connection.",
    ),
    Fatal("refused by AWS", r"", "Check the AWS connection and the bucket."),
)


def describe(error: BaseException) -> DatabaseFailure | None:
    """Return the database's own account of `error`, or None where the error is none of a database driver."""
    for cause in _follow_causes(error):
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


def diagnose(error: BaseException) -> Transient | Fatal:
    """Return the class of any failure: whether it passes by itself, and what to do."""
    if isinstance(error, FatalError):
        return Fatal("fatal", remedy=error.remedy)
    if isinstance(error, TransientError):
        return Transient("passing")
    if isinstance(error, ClientError):
        return _find_class(AWS_FAILURES, _read_code(error))
    if isinstance(error, BotoCoreError):
        passes = isinstance(error, AwsConnectionError | HTTPClientError)
        return _NO_ANSWER if passes else _NO_CLIENT
    if failure := describe(error):
        return classify(failure)
    return _NO_NETWORK if isinstance(error, ConnectionError | TimeoutError | socket.gaierror) else _UNKNOWN


def is_transient(error: BaseException) -> bool:
    """Tell whether trying the same again can succeed without anybody mending anything."""
    return isinstance(diagnose(error), Transient)


def classify(failure: DatabaseFailure) -> Transient | Fatal:
    """Return the class of a database failure; the last class takes whatever no other does."""
    return _find_class(DATABASE_FAILURES, f"{failure.sqlstate}|{failure.message}|{failure.detail}")


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
    if isinstance(error, NoAnswerError):
        return f"{what} failed: {error}"
    if isinstance(error, TransientError):
        return f"{what} starts over: {str(error).rstrip('.')}."
    remedy = diagnose(error).remedy
    return (
        f"{what} failed: {_say(error).rstrip('.?')}. {remedy}" if remedy else f"{what} failed: {_say(error)}"
    )


def _say(error: BaseException) -> str:
    """Return what happened in one line, in the words of whoever refused."""
    if isinstance(error, ClientError):
        known: Mapping[str, object] = error.response["Error"]
        bucket = f" (bucket {known['BucketName']})" if "BucketName" in known else ""
        said = f"{_read_code(error)}: {str(known.get('Message', '')).rstrip('.')}{bucket}"
        return f"{error.operation_name} was refused, {said}"
    if isinstance(error, BotoCoreError):
        return str(error)
    failure = describe(error)
    return " ".join(str(failure).split()) if failure else f"{type(error).__name__}: {error}"


def _read_code(error: ClientError) -> str:
    return str(error.response["Error"].get("Code", ""))


def _find_class(classes: Sequence[Transient | Fatal], text: str) -> Transient | Fatal:
    return next(known for known in classes if re.search(known.pattern, text))


def _follow_causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
