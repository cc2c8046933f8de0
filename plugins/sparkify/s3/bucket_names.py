"""Which bucket a text names, and that the source is never the bucket that is written to and removed."""

import re

from sparkify.failures import FatalError

SOURCE_VARIABLE, WORK_VARIABLE = "sparkify_source_bucket", "sparkify_work_bucket"

# Buckets made before 2018 may have capitals and underscores (S3 User Guide, bucket naming rules).
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
_SPELLINGS = re.compile(r"^(s3[an]?://|arn:aws[a-z-]*:s3:::)", re.IGNORECASE)
# Aliases of access points: they are used like names and do not tell which bucket is behind them (likewise).
_ALIASES = ("-s3alias", "--ol-s3")


def check_buckets(source: str, work: str) -> None:
    """Refuse one bucket as source and work bucket, and whatever is not a bucket's plain name.

    Args:
        source: the bucket that holds the user's files.
        work: the bucket that manifests are written to, whose files expire and which teardown may remove.

    Raises:
        FatalError: the message names both Variables and says what to set.
    """
    names = [_strip(text).lower() for text in (source, work)]
    if names[0] == names[1]:
        raise FatalError(
            f"Source and work bucket are one, {_strip(source)!r}: manifests are written to a work bucket "
            "and expire there, and a teardown may remove it, so the source has to be elsewhere. Leave the "
            f"Airflow Variable {SOURCE_VARIABLE} as it is and set {WORK_VARIABLE} to a bucket of its own, "
            f"for example {names[0]}-work; the action provision of redshift_cluster makes it."
        )
    for variable, text in ((SOURCE_VARIABLE, source), (WORK_VARIABLE, work)):
        if not _NAME.fullmatch(text) or text.endswith(_ALIASES):
            raise FatalError(
                f"{text!r} is not a bucket's plain name, so it cannot be seen whether source and work bucket "
                "are two. Set the Airflow Variables "
                f"{SOURCE_VARIABLE} and {WORK_VARIABLE} to two names alone, without s3://, slashes, ARNs or "
                f"aliases of access points: {variable} to {_strip(text)!r}, if that is the bucket."
            )


def _strip(text: str) -> str:
    """Return the bucket's name in an address or ARN of S3."""
    return _SPELLINGS.sub("", text.strip()).partition("/")[0]
