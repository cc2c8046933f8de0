"""A bucket's keys as moto wants them, of which those are in memory that the store does not know.

An object takes moto 2 KB. What has only been put, as nearly all have, is made anew of the store's record each
time somebody asks for it. What a change is about stays until the change is over, and what is more than a
record tells (versions, delete markers, locks, grants, parts) for good.
"""

import contextlib
import threading
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Final

from moto.s3.models import FakeBucket, FakeDeleteMarker, FakeKey
from moto.s3.utils import _VersionedKeyStore
from moto.utilities.utils import LowercaseDict

from sandbox.aws import objects
from sandbox.aws.store import Body, ObjectStore, Properties

_Version = FakeKey | FakeDeleteMarker
# Stands for a key that a change has removed, as long as the store still knows it.
_GONE: Final[list[_Version]] = []
# What differs between two keys that tell the same.
_OWN = frozenset(("lock", "_value_buffer", "_tick", "_time_progressed", "disposed"))
# What moto gives every new key for its region, whichever its bucket's is.
_REGION = "aws"
_CHANGES: ContextVar[bool] = ContextVar("changes", default=False)


@contextlib.contextmanager
def changing() -> Iterator[None]:
    """While this lasts, this thread's keys may be changed; one thread at a time."""
    token = _CHANGES.set(True)
    try:
        yield
    finally:
        _CHANGES.reset(token)


class Keys(_VersionedKeyStore):
    """In place of moto's dictionary of a bucket's keys.

    Args:
        bucket: The bucket.
        store: What knows most of them.
    """

    def __init__(self, bucket: FakeBucket, store: ObjectStore) -> None:
        super().__init__()
        self._bucket = bucket
        self._store = store
        self._pattern = FakeKey(
            "", b"", bucket.account_id, _REGION, bucket_name=bucket.name, version_id="null"
        )
        # What was held of the keys that the change is about, and those of them that it has put or removed.
        self._former: dict[str, list[_Version] | None] = {}
        self.changed: set[str] = set()

    def __sgetitem__(self, key: str) -> list[_Version]:
        """A key's versions, the newest last."""
        held: list[_Version] | None = dict.get(self, key)
        versions = self._load(key) if held is None else held
        if versions is _GONE:
            raise KeyError(key)
        return versions

    def __setitem__(self, key: str, value: _Version) -> None:
        """Add a version."""
        self.setlist(key, [*self.getlist(key, []), value])

    def __contains__(self, key: object) -> bool:
        """Whether there is such a key."""
        held = dict.get(self, key)
        return self._store.has(self._bucket.name, str(key)) if held is None else held is not _GONE

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return (name for name, _ in self._iterlists())

    def __len__(self) -> int:
        """How many there are."""
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return any(True for _ in self)

    def setlist(self, key: str, list_: list[_Version]) -> None:
        """Put versions in the place of those that were, which may come back (`undo`)."""
        self._hold(key, list_)
        self.changed.add(key)

    def pop(self, key: str) -> None:  # type: ignore[override] # as moto's
        """Remove a key, of which S3 would keep the markers where versioning is suspended: moto cannot."""
        if any(isinstance(version, FakeDeleteMarker) for version in self.__sgetitem__(key)):
            raise ValueError("the key has delete markers, and its bucket's versioning is suspended")
        self.setlist(key, _GONE)

    def undo(self) -> None:
        """Take the change back."""
        for name, held in self._former.items():
            if held is None:
                dict.pop(self, name, None)
            else:
                dict.__setitem__(self, name, held)
        self._end()

    def rest(self) -> None:
        """Let go of what the change has touched, where the store knows as much."""
        for name in self._former:
            found = self._store.find(self._bucket.name, name)
            known: list[_Version] = [self._restored(name, *found)] if found else _GONE
            if _same(dict.get(self, name), known):
                dict.pop(self, name, None)
        self._end()

    def known(self, key: str) -> dict[str, Any]:
        """The attributes of a key that the store knows; none where it does not."""
        found = self._store.find(self._bucket.name, key)
        return vars(self._restored(key, *found)) if found else {}

    def _load(self, key: str) -> list[_Version]:
        found = self._store.find(self._bucket.name, key)
        if found is None:
            return _GONE
        versions: list[_Version] = [self._restored(key, *found)]
        if _CHANGES.get():
            self._hold(key, versions)
        return versions

    def _restored(self, name: str, body: Body, told: Properties) -> FakeKey:
        """The moto object for a stored one; FakeKey() would take a body that has just arrived (`objects`)."""
        key: FakeKey = object.__new__(FakeKey)
        vars(key).update(
            vars(self._pattern),
            name=name,
            lock=threading.Lock(),
            contentsize=told.size,
            last_modified=datetime.fromisoformat(told.last_modified),
            checksum_algorithm=told.checksum_algorithm,
            checksum_value=told.checksum_value,
            checksum_type=told.checksum_type,
            checksum_parts=told.checksum_parts,
            disposed=True,  # there is nothing to dispose of, and nobody to be warned
            _storage_class=told.storage_class,
            _etag=told.etag,
            _value_buffer=body,
            _metadata=LowercaseDict(),
        )
        key.metadata.store.update(self._pattern.metadata.store, **told.metadata)  # theirs are lower case
        return key

    def _hold(self, key: str, versions: list[_Version]) -> None:
        self._former.setdefault(key, dict.get(self, key))
        dict.__setitem__(self, key, versions)

    def _end(self) -> None:
        self._former.clear()
        self.changed.clear()

    def _iterlists(self) -> Iterator[tuple[str, list[_Version]]]:
        held: dict[str, list[_Version]] = dict(dict.items(self))
        for name, _, told in self._store.objects(self._bucket.name):
            if name not in held:
                yield name, [_Listed(self, name, datetime.fromisoformat(told.last_modified))]
        yield from ((name, versions) for name, versions in held.items() if versions is not _GONE)

    def _iteritems(self) -> Iterator[tuple[str, _Version]]:
        return ((name, versions[-1]) for name, versions in self._iterlists())

    def _itervalues(self) -> Iterator[_Version]:
        return (version for _, version in self._iteritems())

    def _self_iterable(self) -> dict[str, Any]:
        return dict(self._iterlists())

    # moto's own names
    items = iteritems = _iteritems
    lists = iterlists = _iterlists
    values = itervalues = _itervalues


class _Listed(FakeKey):
    """One of all keys of a bucket, which moto sorts to show a page; more is read when it is asked for."""

    __slots__ = ("_keys", "last_modified", "name")

    def __init__(self, keys: Keys, name: str, last_modified: datetime) -> None:
        self._keys = keys
        self.name = name
        self.last_modified = last_modified

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 # of any of FakeKey's
        vars(self).update(self._keys.known(self.name))
        if name not in vars(self):
            raise AttributeError(name)
        return vars(self)[name]

    def __deepcopy__(self, _: object) -> "_Listed":
        return _Listed(self._keys, self.name, self.last_modified)

    def __del__(self) -> None:
        """Nothing: the body is the store's."""

    def dispose(self, garbage: bool = False) -> None:
        """Nothing either."""


def properties(key: FakeKey) -> Properties:
    """What the store keeps of an object besides its body."""
    return Properties(
        size=key.size,
        etag=key.etag.strip('"'),
        last_modified=key.last_modified.isoformat(),
        storage_class=key.storage_class or "STANDARD",
        metadata=dict(key.metadata),
        checksum_algorithm=key.checksum_algorithm,
        checksum_value=key.checksum_value,
        checksum_type=key.checksum_type,
        checksum_parts=key.checksum_parts,
    )


def _same(held: list[_Version] | None, known: list[_Version]) -> bool:
    """Whether the versions of a key are nothing but what the store knows."""
    if held is _GONE or known is _GONE or held is None:
        return held is known
    return len(held) == 1 and _told(held) == _told(known)


def _told(versions: Iterable[_Version]) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in vars(version).items() if name not in _OWN} | {"body": _body(version)}
        for version in versions
    ]


def _body(version: _Version) -> object:
    """The name of an object's file in the store; something that equals no other where it has none."""
    body: object = getattr(version, "_value_buffer", None)
    return body.path if isinstance(body, Body) and not objects.adopt(body) else object()
