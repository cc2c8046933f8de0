"""The S3 client of loads."""

from datetime import datetime
from typing import TYPE_CHECKING

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from botocore.utils import parse_timestamp

from sparkify.aws import KnowsCaller

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


class _Hook(KnowsCaller, S3Hook):
    pass


def make_s3_client(aws_conn_id: str) -> "S3Client":
    """Return a client that lists the source and writes to the work bucket."""
    client: S3Client = _Hook(aws_conn_id=aws_conn_id).get_conn()
    return with_quick_times(client)


def with_quick_times(client: "S3Client") -> "S3Client":
    """Let a client read the times in listings quickly, and return it.

    A listing holds one for each file. The general parser that boto asks takes four fifths of a listing's
    processor time; AWS's own command line sets another in the same way.
    """
    factory = client._endpoint._response_parser_factory  # type: ignore[attr-defined]
    factory.set_parser_defaults(timestamp_parser=read_time)
    return client


def read_time(text: str) -> datetime:
    """Return a time of AWS's answers: ISO 8601 in documents, RFC 822 in headers."""
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        found: datetime = parse_timestamp(text)
        return found
