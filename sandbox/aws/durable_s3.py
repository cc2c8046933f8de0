"""S3 that survives its process: what moto makes is written through to an `ObjectStore`.

After every successful request that changes something, the touched objects are read back from moto's own
backend, whatever operation it was (put, copy, multipart upload, deletion of many). Kept are buckets with
their settings and the newest version of their objects; older versions live as long as the process.
"""

import threading
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import FakeBucket, FakeKey, S3Backend, s3_backends

from sandbox.aws import bucket_settings, keys, objects, policies, wsgi
from sandbox.aws.keys import Keys
from sandbox.aws.store import Body, ObjectStore, StoredBucket
from sandbox.aws.wsgi import Application, Environ, StartResponse

# From here on an object is streamed from its file.
_LARGE = 256 * 1024
_READING = {"GET", "HEAD", "OPTIONS"}


class DurableS3:
    """A WSGI layer that writes S3's changes to disk before the client is told of them.

    Args:
        application: The layer below, moto.
        store: Where buckets and objects are kept.
    """

    def __init__(self, application: Application, store: ObjectStore) -> None:
        self._application = application
        self._store = store
        # One request at a time. moto puts an object into its bucket before it has worked out the ETag, and
        # reading, describing and closing an object share one buffer; Python would take turns anyway.
        self._lock = threading.Lock()
        self._backend: S3Backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Carry the request out and keep what it changed."""
        if environ.get(wsgi.SERVICE) != "s3":
            return self._application(environ, start_response)
        if environ["REQUEST_METHOD"] not in _READING:
            return self._change(environ, start_response)
        with self._lock:
            body = self._stream(environ, start_response) or self._application(environ, start_response)
            self._keep_changed()  # a log of the bucket that was read
            self._end(kept=True)
            return body

    def restore(self) -> None:
        """Give moto the buckets, their settings and the objects of the store."""
        bucket_settings.restore(self._store, self._application, self._backend.create_bucket)
        for stored in self._store.buckets():
            bucket = self._backend.buckets[stored.name]
            bucket.creation_date = datetime.fromisoformat(stored.created)
            bucket.keys = Keys(bucket, self._store)

    def make_bucket(self, name: str, region: str) -> None:
        """Make a bucket unless it exists."""
        if name not in self._backend.buckets:
            self._backend.create_bucket(name, region)
            self._keep_bucket(name)

    def _change(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Hold the answer back until the change is on disk."""
        answer: list[Any] = []
        environ.pop("HTTP_RANGE", None)  # no change has one; moto would put an object and answer 416

        def carry_out() -> Iterable[bytes]:
            return self._application(environ, lambda *arguments: answer.extend(arguments))

        with self._lock, keys.changing():
            kept = False
            try:
                body = objects.put(environ, carry_out)
                if str(answer[0]) < "4":
                    self._keep(environ)
                    kept = True
            finally:
                self._end(kept=kept)
        start_response(*answer)
        return body

    def _end(self, *, kept: bool) -> None:
        """Forget what is on disk. What was refused, or could not be kept, has changed nothing.

        moto reads tags and grants when it has put the object, or made the bucket, that they are for.
        """
        for bucket in list(self._backend.buckets.values()):
            if not isinstance(bucket.keys, Keys):
                if not kept:
                    self._backend.delete_bucket(bucket.name)
            elif kept:
                bucket.keys.rest()
            else:
                bucket.keys.undo()

    def _stream(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes] | None:
        """A large object from its file, with the headers that moto gives it; None for whatever else it is."""
        bucket_name, name = wsgi.bucket_and_key(environ)
        bucket = self._backend.buckets.get(bucket_name)
        # A policy may be about GetObject alone.
        if bucket is None or policies.restricts(bucket) or not objects.is_plain_get(environ):
            return None
        key = bucket.keys.get(name)
        if not isinstance(key, FakeKey) or key.size < _LARGE or key.storage_class in objects.ARCHIVES:
            return None
        answer: list[Any] = []
        request = {**environ, "REQUEST_METHOD": "HEAD"}
        list(self._application(request, lambda *arguments: answer.extend(arguments)))
        headers = {header.lower(): value for header, value in answer[1]}
        if str(answer[0])[:3] not in {"200", "206"} or headers.get("etag") != key.etag:
            return None
        part = objects.open_part(key, headers.get("content-range"))
        if part is None:
            return None
        file, size = part
        rest = [(header, value) for header, value in answer[1] if header.lower() != "content-length"]
        start_response(answer[0], [*rest, ("Content-Length", str(size))])
        return objects.stream(file, size)

    def _keep(self, environ: Environ) -> None:
        bucket_name, key = wsgi.bucket_and_key(environ)
        if bucket_name not in self._backend.buckets:
            self._store.drop_bucket(bucket_name)
            # moto would give them to the next bucket of this name.
            self._backend.tagger.delete_all_tags_for_resource(f"arn:aws:s3:::{bucket_name}")
        elif not key:
            new = not self._store.has_bucket(bucket_name)
            self._keep_bucket(bucket_name)
            bucket_settings.keep(self._store, environ, new=new)
        self._keep_changed()

    def _keep_changed(self) -> None:
        """Keep what has become of objects, whatever request has changed them."""
        for bucket in self._backend.buckets.values():
            if isinstance(bucket.keys, Keys) and bucket.keys.changed:
                self._keep_objects(bucket, bucket.keys.changed)

    def _keep_bucket(self, name: str) -> None:
        bucket = self._backend.buckets[name]
        created = bucket.creation_date.isoformat()
        self._store.put_bucket(StoredBucket(name, bucket.region_name, created))
        if not isinstance(bucket.keys, Keys):
            bucket.keys = Keys(bucket, self._store)

    def _keep_objects(self, bucket: FakeBucket, names: set[str]) -> None:
        found = {name: bucket.keys.get(name) for name in names}
        gone = {name for name, key in found.items() if not isinstance(key, FakeKey)}
        for name in names - gone:
            self._keep_object(bucket, name, found[name])
        if gone:
            self._store.drop_objects(bucket.name, gone, versioned=bucket.is_versioned)

    def _keep_object(self, bucket: FakeBucket, name: str, key: FakeKey) -> None:
        held: object = key._value_buffer
        if upload := objects.adopt(held):
            body = self._store.adopt_body(upload)
        else:
            body = held if isinstance(held, Body) else self._store.write_body(key.value)
        self._store.put_object(bucket.name, name, body, keys.properties(key), versioned=bucket.is_versioned)
        if body is not held:  # kept before anybody reads it from there
            _set_body(key, body)


def _set_body(key: FakeKey, body: Body) -> None:
    """Let moto read an object from disk instead of from the buffer it made for it."""
    with key.lock:  # a reader may be at it; the buffer is closed when the last one is done
        vars(key).update(_value_buffer=body, disposed=True)  # there is nothing left to dispose of
