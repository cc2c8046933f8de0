"""UploadFolderOperator: a folder of the worker brought to S3."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from sparkify.buckets import provide_bucket
from sparkify.failures import LoadError, explain, is_transient
from sparkify.upload import find_files, upload

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


class UploadFolderOperator(BaseOperator):
    """Upload the `.json` files of a folder that the bucket does not have with the same content.

    Keys are the paths inside the folder. Nothing is ever deleted, and each file replaces its object whole, so
    that running it again, or after it was killed at any point, only does what is left. A missing bucket is
    made: private, encrypted, TLS only.

    What is there is recognised by size and ETag, which is the MD5 of what was put in one request. Files in a
    bucket that encrypts with KMS, or that were uploaded in parts, are uploaded again.

    Args:
        folder: absolute path of a folder on the worker.
        bucket: where to upload to.
        subfolders: the folders inside `folder` to look at; files elsewhere are none of its business.
        region: where to make a missing bucket; by default the connection's region.
        tags: what to tag a bucket with that it makes.
        aws_conn_id: the Airflow connection that may list the bucket and put objects, and make it if need be.

    Returns:
        How many `.json` files there are, were uploaded and were skipped; how many other files were ignored
        and links not followed; bytes sent and seconds.

    Raises:
        AirflowFailException: no such folder, nothing in it, a file that cannot be read, or what AWS refuses.
        AirflowException: what may pass; the next try goes on from here.
    """

    template_fields: Sequence[str] = ("folder", "bucket", "region")
    ui_color = "#dfe6f3"

    def __init__(
        self,
        *,
        folder: str,
        bucket: str,
        subfolders: Sequence[str],
        region: str | None = None,
        tags: Mapping[str, str] | None = None,
        aws_conn_id: str = "aws_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.folder = folder
        self.bucket = bucket
        self.subfolders = subfolders
        self.region = region
        self.tags = tags or {}
        self.aws_conn_id = aws_conn_id

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002 - Airflow's signature
        """Upload what is missing or has changed."""
        what = f"{self.task_id}: uploading {self.folder} to s3://{self.bucket} over {self.aws_conn_id}"
        try:
            return self._upload()
        except Exception as error:
            kind = AirflowException if is_transient(error) else AirflowFailException
            raise kind(explain(error, what)) from (None if isinstance(error, LoadError) else error)

    def _upload(self) -> dict[str, Any]:
        found = find_files(Path(self.folder), self.subfolders)
        self.log.info("%s: %s", self.folder, found)
        # A bucket can only be made over the endpoint of its region.
        hook = S3Hook(aws_conn_id=self.aws_conn_id, region_name=self.region or None)
        s3: S3Client = hook.get_conn()
        self.log.info("%s", provide_bucket(s3, self.bucket, self.region or s3.meta.region_name, self.tags))
        done = upload(s3, self.bucket, found, self.log)
        self.log.info("s3://%s: %s", self.bucket, done)
        return {
            "files": done.files,
            "uploaded": done.uploaded,
            "skipped": done.skipped,
            "ignored": len(found.ignored),
            "links": len(found.links),
            "bytes": done.size,
            "seconds": round(done.seconds, 3),
        }
