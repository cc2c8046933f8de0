"""The lineage of an upload: from a folder of the worker to objects on S3."""

import socket

from sparkify.operators.lineage import Data, Lineage, describe_files
from sparkify.s3.upload import LocalFiles


def trace_upload(folder: str, bucket: str, local: LocalFiles) -> Lineage:
    """Return the folder, and the objects that have its files' content now.

    Args:
        folder: an absolute path on this machine.
        bucket: where they are.
        local: what the folder holds; the keys are the paths in it.
    """
    read = Data(name=f"file://{socket.gethostname()}/{folder.strip('/')}", files=len(local.files))
    return Lineage([read], describe_files((f"s3://{bucket}/{key}", None) for key in local.files))
