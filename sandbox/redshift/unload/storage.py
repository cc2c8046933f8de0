"""Writing S3 as the UNLOAD's role or keys may."""

from collections.abc import Sequence
from pathlib import Path

from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from sandbox.redshift.copy.errors import INTERNAL_ERROR, CopyError
from sandbox.redshift.copy.s3 import S3Object, S3Reader

# One request up to so many bytes, parts of as many beyond.
_PART_BYTES = 64 * 1024 * 1024
_TRANSFER = TransferConfig(
    multipart_threshold=_PART_BYTES, multipart_chunksize=_PART_BYTES, use_threads=False
)
_DELETED_AT_ONCE = 1000


class S3Writer(S3Reader):
    """Lists, writes and deletes objects for one UNLOAD."""

    def check_empty(self, prefix: S3Object) -> None:
        """Make sure that no key begins with the prefix.

        Raises:
            CopyError: One does, or S3 refuses.
        """
        found = self._call(
            lambda: self._client.list_objects_v2(Bucket=prefix.bucket, Prefix=prefix.key, MaxKeys=1),
            f"Listing bucket={prefix.bucket} prefix={prefix.key}",
        )
        if found.get("Contents"):
            # As seen in public reports.
            raise CopyError(
                INTERNAL_ERROR,
                "Specified unload destination on S3 is not empty. Consider using a different bucket / "
                "prefix, manually removing the target files in S3, or using the ALLOWOVERWRITE option.",
            )

    def delete(self, objects: Sequence[S3Object]) -> None:
        """Remove objects of one bucket for good.

        Raises:
            CopyError: S3 refuses, maybe one of them.
        """
        for start in range(0, len(objects), _DELETED_AT_ONCE):
            some = objects[start : start + _DELETED_AT_ONCE]
            keys = [{"Key": item.key} for item in some]
            answer = self._call(
                lambda keys=keys, bucket=some[0].bucket: self._client.delete_objects(  # type: ignore[misc]
                    Bucket=bucket, Delete={"Objects": keys}
                ),
                f"Deleting from bucket={some[0].bucket}",
            )
            for error in answer.get("Errors", []):
                message = f"S3ServiceException:{error.get('Message')},Status 403,Error {error.get('Code')}"
                raise CopyError(INTERNAL_ERROR, message, f"S3 key being deleted : {error.get('Key')}")

    def upload(self, path: Path, target: S3Object, *, by_bucket: bool) -> None:
        """Write a file as an object.

        Args:
            path: The file.
            target: The object.
            by_bucket: Encrypted as the bucket says, not with S3's own keys.

        Raises:
            CopyError: S3 refuses or does not answer.
        """
        # "UNLOAD automatically creates encrypted files using Amazon S3 server-side encryption" (SSE-S3).
        more = {} if by_bucket else {"ServerSideEncryption": "AES256"}

        def upload() -> None:
            try:
                self._client.upload_file(
                    str(path), target.bucket, target.key, Config=_TRANSFER, ExtraArgs=more
                )
            except S3UploadFailedError as error:
                cause = error.__context__
                raise (cause if isinstance(cause, ClientError) else error) from error

        self._call(upload, f"Failed to initialize S3 output stream. S3 path: {target.url}")
