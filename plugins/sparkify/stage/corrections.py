"""Corrected rows in the place of rejected ones: a source file is written again, if nobody else has.

Lines keep their numbers, and a file that has a corrected row is not written again: what was killed, or is
run again, does what is left to do.
"""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sparkify.failures import FatalError, SourceChanged
from sparkify.warehouse.open_rows import OpenRow

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

REPLACED = "replaced/"
"""Where files are kept that were corrected: below it, the key of each, and below that its ETag."""

# A file is corrected in memory.
_LARGEST = 256 * 2**20
# Redshift cuts the text of a rejected row, and may write what is no ASCII otherwise.
_COMPARED = 200

Lines = Mapping[int, bytes]


def read_corrections(text: str, bucket: str) -> dict[str, dict[int, bytes]]:
    """Return corrected rows by key and line, each as it is to stand in its file; empty for one to take out.

    Args:
        text: lines of JSON, each with `file` (a key or an address), `line` and `row` (an object or null).
        bucket: the source bucket.

    Raises:
        FatalError: a line is none of these; the message names it.
    """
    found: dict[str, dict[int, bytes]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            key, at, row = _read(json.loads(line), bucket)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise FatalError(
                f"Line {number} of the corrected rows is none ({error!r}): {line[:200]!r}.",
                'Each line is {"file": key, "line": number, "row": {…} or null}; nothing was changed.',
            ) from None
        lines = found.setdefault(key, {})
        if lines.setdefault(at, row) != row:
            raise FatalError(f"The corrected rows have line {at} of {key} twice; nothing was changed.")
    return found


def _read(one: Any, bucket: str) -> tuple[str, int, bytes]:  # noqa: ANN401 - any JSON
    key, line, row = one["file"].removeprefix(f"s3://{bucket}/"), one["line"], one["row"]
    if key.startswith("s3://") or type(line) is not int or line < 1:
        raise ValueError(f"file {one['file']!r}, line {line!r}")
    if row is not None and not isinstance(row, dict):
        raise TypeError("row is no object")
    return key, line, b"" if row is None else json.dumps(row, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Corrector:
    """Writes corrected rows into source files.

    Args:
        s3: reads and writes them.
        bucket: the source bucket.
        gzip: the files are compressed with gzip.
        dry_run: say what would be done, and write nothing.
    """

    s3: "S3Client"
    bucket: str
    gzip: bool
    dry_run: bool

    def correct(self, key: str, lines: Lines, rejected: Sequence[OpenRow]) -> bool:
        """Put corrected rows into a file in place of rejected ones; return whether it has to be written.

        Args:
            key: of the file.
            lines: the corrected rows.
            rejected: its open rows.

        Raises:
            FatalError: the file is gone or too large, or a line is not one that was rejected.
            SourceChanged: somebody wrote the file meanwhile.
        """
        found = self._get(key)
        etag, body = found["ETag"].strip('"'), found["Body"].read()
        old = (gzip.decompress(body) if self.gzip else body).split(b"\n")
        new = _replace(old, lines)
        changed = [number for number in lines if number > len(old) or new[number - 1] != old[number - 1]]
        for number in changed:
            _check(f"s3://{self.bucket}/{key}", number, old, etag, rejected)
        if changed and not self.dry_run:
            self._put(key, found, body, b"\n".join(new))
        return bool(changed)

    def _get(self, key: str) -> Any:  # noqa: ANN401 - boto's answers are made from data
        try:
            found = self.s3.get_object(Bucket=self.bucket, Key=key)
        except self.s3.exceptions.NoSuchKey:
            raise FatalError(
                f"s3://{self.bucket}/{key} is not there: no row of it can be corrected."
            ) from None
        if found["ContentLength"] > _LARGEST:
            raise FatalError(f"s3://{self.bucket}/{key} is too large to be corrected here: mend it on S3.")
        return found

    def _put(self, key: str, found: Any, old: bytes, new: bytes) -> None:  # noqa: ANN401
        """Keep the file as it was, then replace it on condition that it is still that."""
        etag = found["ETag"]
        described = ("ContentType", "ContentEncoding", "CacheControl", "Metadata")
        more = {name: found[name] for name in described if found.get(name)}
        kept = f"{REPLACED}{key}/{etag.strip(chr(34))}"
        self.s3.put_object(Bucket=self.bucket, Key=kept, Body=old, **more)
        # Without a time in it the same content is the same file, whoever tries again.
        body = gzip.compress(new, mtime=0) if self.gzip else new
        try:
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, IfMatch=etag, **more)
        except ClientError as error:
            if error.response["Error"]["Code"] in {"PreconditionFailed", "ConditionalRequestConflict"}:
                raise SourceChanged(f"s3://{self.bucket}/{key} changed while it was corrected") from error
            raise


def _replace(old: Sequence[bytes], lines: Lines) -> list[bytes]:
    new = list(old)
    for number, row in lines.items():
        if number <= len(new):
            new[number - 1] = row + (b"\r" if new[number - 1].endswith(b"\r") else b"")
    return new


def _check(url: str, number: int, old: Sequence[bytes], etag: str, rejected: Sequence[OpenRow]) -> None:
    """Refuse to replace a line of which it is not sure that it is a rejected row."""
    here = [row for row in rejected if row.line == number]
    if not here:
        raise FatalError(
            f"{url} has no rejected row at line {number}: nothing of it was changed.",
            "Correct lines that are listed as open; mend others on S3.",
        )
    there = old[number - 1] if number <= len(old) else None
    if there is None or not _is_rejected(there, etag, here):
        raise FatalError(
            f"{url} has changed since its rows were rejected: line {number} is another, and nothing of it "
            "was changed.",
            "Have it loaded again first, without corrections; what is rejected then is in its new version.",
        )


def _is_rejected(line: bytes, etag: str, rows: Sequence[OpenRow]) -> bool:
    """Tell whether a line is one of the rejected rows: by their text or, without, by their file's version."""
    texts = [row.raw_text for row in rows if row.raw_text is not None]
    return any(_is_of(text, line) for text in texts) if texts else any(row.etag == etag for row in rows)


def _is_of(text: str, line: bytes) -> bool:
    """Tell whether the text of a rejected row, which may be cut, is a line's."""
    told, there = (_plain(one)[:_COMPARED] for one in (text.rstrip("…"), line.decode(errors="replace")))
    return there.startswith(told) if told else not there


def _plain(text: str) -> str:
    return "".join(letter for letter in text if "!" <= letter <= "~")
