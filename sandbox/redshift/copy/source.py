"""The files a COPY reads: those under a prefix, or those a manifest lists."""

from dataclasses import dataclass

import orjson

from sandbox.redshift.copy.errors import CopyError, s3_error
from sandbox.redshift.copy.s3 import S3Object, S3Reader, parse_address

# Redshift names no limit. So much is some 150,000 files, and takes ten times its size while it is read.
MAX_MANIFEST_BYTES = 16 * 1024 * 1024
_SHOWN_CHARACTERS = 1024


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file to load; a missing one fails the COPY only if it is mandatory."""

    address: S3Object
    mandatory: bool = True


def source_files(
    source: str, reader: S3Reader, *, manifest: bool, needs_sizes: bool = False
) -> list[SourceFile]:
    """The files behind the COPY's FROM, in the order of their keys or of the manifest.

    Args:
        source: ``s3://bucket/prefix`` or the manifest's address.
        reader: Reads S3.
        manifest: `source` is a manifest.
        needs_sizes: Its entries must tell the files' sizes.

    Raises:
        CopyError: Nothing has the prefix, the manifest is missing or malformed, or S3 refuses.
    """
    address = parse_address(source)
    reader.check_region(address.bucket)
    if manifest:
        text = reader.read(address, MAX_MANIFEST_BYTES)
        files = _manifest_files(text, address)
        if needs_sizes:
            _check_sizes(text, address)
        for bucket in {file.address.bucket for file in files} - {address.bucket}:
            reader.check_region(bucket)
        return files
    found = reader.list_prefix(address)
    if not found:
        raise s3_error(
            f"The specified S3 prefix '{address.key}' does not exist",
            context=f"Listing bucket={address.bucket} prefix={address.key}",
        )
    return [SourceFile(found_object) for found_object in found]


def _manifest_files(text: bytes, address: S3Object) -> list[SourceFile]:
    try:
        document = orjson.loads(text)
        entries = [(entry["url"], entry.get("mandatory", False)) for entry in document["entries"]]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise _malformed(address, f"{type(error).__name__}: {error}") from error
    if not entries:
        raise _malformed(address, "it lists no file")
    return [_entry(url, mandatory, address) for url, mandatory in entries]


def _check_sizes(text: bytes, address: S3Object) -> None:
    """The guide's page "Using a manifest to specify data files": Parquet and ORC need the meta key."""
    for entry in orjson.loads(text)["entries"]:
        meta = entry.get("meta")
        if not isinstance(meta, dict) or not isinstance(meta.get("content_length"), int):
            raise _malformed(address, "meta.content_length is required for columnar files")


def _entry(url: object, mandatory: object, manifest: S3Object) -> SourceFile:
    if not isinstance(url, str) or not isinstance(mandatory, bool):
        shown = f"url {_shown(url)} is no text or mandatory {_shown(mandatory)} is not true or false"
        raise _malformed(manifest, shown)
    address = parse_address(url)
    if not url.startswith("s3://") or not address.bucket or not address.key or address.key.endswith("/"):
        # Load error reference: 8001 means that the manifest needs full paths.
        raise s3_error(
            f"The specified manifest file {manifest.url} has an entry that is not a full path: {_shown(url)}",
            hint="Every url in a manifest names one object: s3://bucket/key.",
        )
    return SourceFile(address, mandatory)


def _malformed(manifest: S3Object, reason: str) -> CopyError:
    return s3_error(
        f"Problem reading manifest file {manifest.url} - {reason}",
        hint='A manifest is {"entries": [{"url": "s3://bucket/key", "mandatory": true}, ...]}.',
    )


def _shown(value: object) -> str:
    """A value of the manifest's as messages show it; a nested one in part, whatever its depth."""
    return repr(value)[:_SHOWN_CHARACTERS] if isinstance(value, str | int | float | None) else "{…}"
