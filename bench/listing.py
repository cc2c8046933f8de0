"""A bucket that is nothing but a listing: `ListObjectsV2` of as many song files as asked for.

A million objects would take the sandbox's S3 an hour to take in; what a run asks of an unchanged catalogue is
its listing alone. Keys and ETags are those of bench/sql/catalogue.sql.
"""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

_PAGE = 1000
_CONTENT = (
    "<Contents><Key>{key}</Key><LastModified>2018-11-01T00:00:00.000Z</LastModified>"
    "<ETag>&quot;{etag}&quot;</ETag><Size>250</Size><StorageClass>STANDARD</StorageClass></Contents>"
)


@contextmanager
def serve(files: int) -> Iterator[str]:
    """Serve the listing on a free port; yield its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(files))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _handler(files: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            body = _page(int(asked.get("continuation-token", ["0"])[0]), files).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def _page(first: int, files: int) -> str:
    end = min(first + _PAGE, files)
    contents = "".join(_content(number) for number in range(first, end))
    more = f"<NextContinuationToken>{end}</NextContinuationToken>" if end < files else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>catalogue</Name>'
        f"<KeyCount>{end - first}</KeyCount><MaxKeys>{_PAGE}</MaxKeys>"
        f"<IsTruncated>{str(end < files).lower()}</IsTruncated>{more}{contents}</ListBucketResult>"
    )


def _content(number: int) -> str:
    name = f"TR{number:012}"
    etag = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    return _CONTENT.format(key=f"song_data/{name}.json", etag=etag)
