"""The objects of S3 on disk: bodies as files, everything about them in one SQLite database.

A body is written under a new random name before the row that points to it is committed, and removed after
that row is gone, so a kill at any moment leaves a whole old or a whole new object. Files without a row are
swept at start-up. There is no fsync: a kill costs nothing, a power cut may cost the last seconds.
"""

import io
import json
import os
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets (name TEXT PRIMARY KEY, region TEXT NOT NULL, created TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, properties TEXT NOT NULL,
    PRIMARY KEY (bucket, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS settings (
    number INTEGER PRIMARY KEY AUTOINCREMENT, bucket TEXT NOT NULL, query TEXT NOT NULL, method TEXT NOT NULL,
    headers TEXT NOT NULL, body BLOB NOT NULL, UNIQUE (bucket, query)
);
"""

_TOGETHER = 500
_LAST = "\U0010ffff" * 257  # no key goes on with it: it would have over 1,024 bytes


@dataclass(frozen=True)
class StoredBucket:
    """A bucket; `created` is an ISO 8601 time."""

    name: str
    region: str
    created: str


@dataclass(frozen=True)
class Setting:
    """The last request that changed something about a bucket, of those with one query."""

    query: str
    method: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Properties:
    """What S3 tells about an object besides its body: `last_modified` in ISO 8601, `etag` without quotes."""

    size: int
    etag: str
    last_modified: str
    storage_class: str
    metadata: dict[str, str]
    checksum_algorithm: str | None
    checksum_value: str | None
    checksum_type: str | None = None
    checksum_parts: int | None = None


class Body:
    """A stored body, opened for each reading: thousands of objects need neither memory nor open files."""

    def __init__(self, path: Path | str) -> None:
        self._path = os.fspath(path)  # made in a fifth of a Path's time
        self._offset = 0

    @property
    def path(self) -> Path:
        """Its file."""
        return Path(self._path)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the place the next read starts at (from the beginning only)."""
        if whence != io.SEEK_SET:
            raise ValueError("a stored body is sought from its beginning only")
        self._offset = offset
        return offset

    def read(self, size: int = -1) -> bytes:
        """Read on from the current place."""
        with self.path.open("rb") as file:
            file.seek(self._offset)
            data = file.read(size)
        self._offset += len(data)
        return data

    def close(self) -> None:
        """Nothing is open between two readings."""


class ObjectStore:
    """Buckets and objects in the folder `home`; safe to use from several threads.

    Each method that changes something has done so on disk when it returns.
    """

    def __init__(self, home: Path) -> None:
        self._bodies = home / "bodies"
        self._bodies.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._database = sqlite3.connect(home / "objects.sqlite", check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(_SCHEMA)
        self._sweep()

    def buckets(self) -> list[StoredBucket]:
        """Every bucket."""
        with self._lock:
            rows = self._database.execute("SELECT name, region, created FROM buckets ORDER BY name")
            return [StoredBucket(*row) for row in rows]

    def find(self, bucket: str, key: str) -> tuple[Body, Properties] | None:
        """An object's body and properties; None where there is no such object."""
        query = "SELECT body, properties FROM objects WHERE bucket = ? AND key = ?"
        with self._lock:
            row = self._database.execute(query, [bucket, key]).fetchone()
        return (self._body(row[0]), Properties(**json.loads(row[1]))) if row else None

    def has(self, bucket: str, key: str) -> bool:
        """Whether there is such an object."""
        query = "SELECT 1 FROM objects WHERE bucket = ? AND key = ?"
        with self._lock:
            return self._database.execute(query, [bucket, key]).fetchone() is not None

    def objects(self, bucket: str) -> Iterator[tuple[str, Body, Properties]]:
        """Every object of a bucket in the order of the keys' bytes: key, body and properties."""
        query = "SELECT key, body, properties FROM objects WHERE bucket = ? AND key > ? ORDER BY key LIMIT ?"
        after, rows = "", [("", "", "")]
        while rows:
            with self._lock:
                rows = self._database.execute(query, [bucket, after, _TOGETHER]).fetchall()
            for after, body, properties in rows:
                yield after, self._body(body), Properties(**json.loads(properties))

    def settings(self) -> list[tuple[str, Setting]]:
        """Every bucket's settings, as they were made."""
        with self._lock:
            query = "SELECT bucket, query, method, headers, body FROM settings ORDER BY number"
            rows = self._database.execute(query).fetchall()
        return [
            (bucket, Setting(name, method, json.loads(text), body))
            for bucket, name, method, text, body in rows
        ]

    def put_setting(self, bucket: str, setting: Setting) -> None:
        """Keep a setting, in the place of an earlier one."""
        values = [bucket, setting.query, setting.method, json.dumps(setting.headers), setting.body]
        with self._lock, self._database:
            self._database.execute("INSERT OR REPLACE INTO settings VALUES (NULL, ?, ?, ?, ?, ?)", values)

    def has_bucket(self, name: str) -> bool:
        """Whether a bucket is kept."""
        with self._lock:
            return bool(self._database.execute("SELECT 1 FROM buckets WHERE name = ?", [name]).fetchone())

    def page(self, bucket: str, prefix: str, after: str, limit: int) -> list[tuple[str, Properties]]:
        """Up to `limit` objects with a prefix that come after a key, in the order of their keys' bytes."""
        query = (
            "SELECT key, properties FROM objects WHERE bucket = ? AND key >= ? AND key > ? AND key < ?"
            " ORDER BY key LIMIT ?"
        )
        values = [bucket, prefix, after, prefix + _LAST, limit]
        with self._lock:
            rows = self._database.execute(query, values).fetchall()
        return [(key, Properties(**json.loads(properties))) for key, properties in rows]

    def put_bucket(self, bucket: StoredBucket) -> None:
        """Keep a bucket, unless it is kept already."""
        with self._lock, self._database:
            values = [bucket.name, bucket.region, bucket.created]
            self._database.execute("INSERT OR IGNORE INTO buckets VALUES (?, ?, ?)", values)

    def drop_bucket(self, name: str) -> None:
        """Forget a bucket and the objects it had."""
        self.drop_objects(name, {key for key, _, _ in self.objects(name)})
        with self._lock, self._database:
            self._database.execute("DELETE FROM settings WHERE bucket = ?", [name])
            self._database.execute("DELETE FROM buckets WHERE name = ?", [name])

    def adopt_body(self, path: Path) -> Body:
        """Make a file of the same file system a new body; it stays only if `put_object` follows."""
        target = self._path(uuid.uuid4().hex)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        return Body(path.rename(target))

    def write_body(self, content: bytes) -> Body:
        """Write a new body; it stays only if `put_object` follows."""
        name = uuid.uuid4().hex
        path = self._path(name)
        try:
            path.write_bytes(content)
        except FileNotFoundError:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            path.write_bytes(content)
        return Body(path)

    def put_object(
        self, bucket: str, key: str, body: Body, properties: Properties, *, versioned: bool = False
    ) -> None:
        """Keep an object; a body it had before is removed, of a versioned bucket at the next start."""
        with self._lock:
            former = self._body_of(bucket, key)
            values = [bucket, key, body.path.name, json.dumps(asdict(properties))]
            with self._database:
                self._database.execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)", values)
            if former not in (None, body.path) and not versioned:
                former.unlink(missing_ok=True)

    def drop_objects(self, bucket: str, keys: set[str], *, versioned: bool = False) -> None:
        """Forget objects and remove their bodies, those of a versioned bucket at the next start."""
        with self._lock:
            former = [self._body_of(bucket, key) for key in keys]
            with self._database:
                self._database.executemany(
                    "DELETE FROM objects WHERE bucket = ? AND key = ?", [(bucket, key) for key in keys]
                )
            for path in former:
                if path is not None and not versioned:
                    path.unlink(missing_ok=True)

    def _body_of(self, bucket: str, key: str) -> Path | None:
        query = "SELECT body FROM objects WHERE bucket = ? AND key = ?"
        row = self._database.execute(query, [bucket, key]).fetchone()
        return self._path(row[0]) if row else None

    def _body(self, name: str) -> Body:
        return Body(f"{self._bodies}/{name[:2]}/{name}")

    def _path(self, name: str) -> Path:
        return self._bodies / name[:2] / name

    def _sweep(self) -> None:
        known = {body for (body,) in self._database.execute("SELECT body FROM objects")}
        for path in self._bodies.glob("*/*"):
            if path.name not in known:
                path.unlink()
