"""ListObjectsV2 of a prefix, answered from the store beside moto.

moto sorts and wraps every object of the bucket for every page: listing the 15,000 songs of the catalogue took
4 s, and the pipeline does it every hour. Whatever is not the plain case (a delimiter, owners, a policy, a
missing bucket) goes on to moto.
"""

import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass
from xml.sax.saxutils import escape

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import S3Backend, s3_backends

from sandbox.aws import policies, wsgi
from sandbox.aws.store import ObjectStore, Properties
from sandbox.aws.wsgi import Application, Environ, StartResponse

_PARAMETERS = {
    "list-type",
    "prefix",
    "delimiter",
    "max-keys",
    "encoding-type",
    "start-after",
    "continuation-token",
}
_TOKEN = "after-"  # noqa: S105 # marks a continuation token as ours
_PAGE = 1000


@dataclass(frozen=True)
class Page:
    """A request for one page: keys with `prefix` that come after `after`."""

    prefix: str
    after: str
    limit: int
    encoded: bool
    start: str


class Listing:
    """A WSGI layer that answers plain ListObjectsV2 requests.

    Args:
        application: The layer below.
        store: The objects.
    """

    def __init__(self, application: Application, store: ObjectStore) -> None:
        self._application = application
        self._store = store
        self._backend: S3Backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer the request, or hand it down."""
        page = _page(environ)
        bucket = self._backend.buckets.get(wsgi.bucket_and_key(environ)[0])
        if page is None or bucket is None or policies.restricts(bucket):
            return self._application(environ, start_response)
        body = _render(bucket.name, page, self._store).encode()
        start_response("200 OK", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [body]


def _page(environ: Environ) -> Page | None:
    """The page a request asks for; None where it is anything but a plain listing."""
    if environ.get(wsgi.SERVICE) != "s3" or environ["REQUEST_METHOD"] != "GET":
        return None
    query = dict(urllib.parse.parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    limit = query.get("max-keys", str(_PAGE))
    token = query.get("continuation-token", _TOKEN)
    if (
        query.get("list-type") != "2"
        or not query.keys() <= _PARAMETERS
        or wsgi.bucket_and_key(environ)[1]
        or "HTTP_X_AMZ_EXPECTED_BUCKET_OWNER" in environ
        or query.get("delimiter")
        or not limit.isdecimal()
        or int(limit) == 0
        or not token.startswith(_TOKEN)
    ):
        return None
    return Page(
        prefix=query.get("prefix", ""),
        after=max(urllib.parse.unquote(token.removeprefix(_TOKEN)), query.get("start-after", "")),
        limit=min(int(limit), _PAGE),
        encoded=query.get("encoding-type") == "url",
        start=query.get("start-after", ""),
    )


def _render(bucket: str, page: Page, store: ObjectStore) -> str:
    found = store.page(bucket, page.prefix, page.after, page.limit + 1)
    shown, truncated = found[: page.limit], len(found) > page.limit
    token = _TOKEN + urllib.parse.quote(shown[-1][0], safe="") if truncated else ""
    return "".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>\n',
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">',
            f"<Name>{bucket}</Name><Prefix>{_text(page.prefix, page.encoded)}</Prefix>",
            f"<KeyCount>{len(shown)}</KeyCount><MaxKeys>{page.limit}</MaxKeys>",
            f"<StartAfter>{_text(page.start, page.encoded)}</StartAfter>" if page.start else "",
            "<EncodingType>url</EncodingType>" if page.encoded else "",
            f"<IsTruncated>{str(truncated).lower()}</IsTruncated>",
            f"<NextContinuationToken>{token}</NextContinuationToken>" if truncated else "",
            *(_entry(name, told, page.encoded) for name, told in shown),
            "</ListBucketResult>",
        ]
    )


def _entry(name: str, told: Properties, encoded: bool) -> str:
    algorithm = told.checksum_algorithm
    return (
        f"<Contents><Key>{_text(name, encoded)}</Key>"
        f"<LastModified>{told.last_modified[:19]}.000Z</LastModified>"
        f'<ETag>"{escape(told.etag)}"</ETag>'
        f"{f'<ChecksumAlgorithm>{algorithm}</ChecksumAlgorithm>' if algorithm else ''}"
        f"<Size>{told.size}</Size>"
        f"<StorageClass>{told.storage_class}</StorageClass></Contents>"
    )


def _text(text: str, encoded: bool) -> str:
    return urllib.parse.quote(text) if encoded else escape(text)
