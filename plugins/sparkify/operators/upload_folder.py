"""UploadFolderOperator: a folder of the worker brought to S3."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import Context

from sparkify.failures import FatalError
from sparkify.operators.aws_step import AwsOperator
from sparkify.operators.trace_upload import trace_upload
from sparkify.s3.bucket_names import check_buckets
from sparkify.s3.buckets import provide_bucket
from sparkify.s3.upload import find_files, upload

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


class UploadFolderOperator(AwsOperator):
    """Upload the `.json` files of a folder that the bucket does not have with the same content.

    Keys are the paths inside the folder. Nothing is ever deleted, and each file replaces its object whole, so
    that running it again, or after it was killed at any point, only does what is left. A missing bucket is
    made: private, encrypted, TLS only.

    What is there is recognised by size and ETag, which is the MD5 of what was put in one request. Files in a
    bucket that encrypts with KMS, or that were uploaded in parts, are uploaded again.

    Args:
        folder: absolute path of a folder on the worker.
        bucket: where to upload to.
        work_bucket: the bucket that must not be uploaded to, because a teardown may remove it.
        subfolders: the folders inside `folder` to look at; files elsewhere are none of its business.
        region: where to make a missing bucket; by default the connection's region.
        tags: what to tag a bucket with that it makes.
        aws_conn_id: the Airflow connection that may list the bucket and put objects, and make it if need be.

    Returns:
        How many `.json` files there are, were uploaded and were skipped; how many other files were ignored
        and links not followed; bytes sent and seconds.

    Raises:
        AirflowFailException: no such folder, nothing in it, the work bucket as target, or what AWS refuses;
            also, once all others are uploaded, for files that cannot be: unreadable, or no name in UTF-8.
        AirflowException: what may pass; the next try goes on from here.
    """

    template_fields: Sequence[str] = (
        "folder",
        "bucket",
        "work_bucket",
        "region",
        *AwsOperator.template_fields,
    )

    def __init__(
        self,
        *,
        folder: str,
        bucket: str,
        subfolders: Sequence[str],
        work_bucket: str | None = None,
        region: str | None = None,
        tags: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.folder = folder
        self.bucket = bucket
        self.subfolders = subfolders
        self.work_bucket = work_bucket
        self.region = region
        self.tags = tags or {}

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002 - Airflow's signature
        """Upload what is missing or has changed."""
        doing = f"uploading {self.folder} to s3://{self.bucket}"
        # A bucket can only be made over the endpoint of its region.
        return self.call_aws(self.region or "", lambda aws: self._upload(aws.s3), doing)

    def _upload(self, s3: "S3Client") -> dict[str, Any]:
        if self.work_bucket:
            check_buckets(self.bucket, self.work_bucket)
        local = find_files(Path(self.folder), self.subfolders)
        self.log.info("%s: %s", self.folder, local)
        self.log.info("%s", provide_bucket(s3, self.bucket, self.region or s3.meta.region_name, self.tags))
        done = upload(s3, self.bucket, local, self.log)
        self.log.info("s3://%s: %s", self.bucket, done)
        self.trace = lambda: trace_upload(self.folder, self.bucket, local)
        self._refuse_problems(done.problems)
        return {
            "files": done.files,
            "uploaded": done.uploaded,
            "skipped": done.skipped,
            "ignored": len(local.ignored),
            "links": len(local.links),
            "bytes": done.size,
            "seconds": round(done.seconds, 3),
        }

    def _refuse_problems(self, problems: Sequence[str]) -> None:
        for problem in problems:
            self.log.error("Not uploaded: %s", problem)
        if problems:
            raise FatalError(
                f"{len(problems):,} files of {self.folder} were not uploaded, all others are in "
                f"s3://{self.bucket}. The log names each; the first: {problems[0]}"
            )
