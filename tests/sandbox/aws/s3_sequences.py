"""Random sequences of S3's calls, made of two servers alike, whose answers are compared.

What has no meaning between two servers (ids, times) is left out of the comparison, and named by its number in
a call: the second version that was put is another id on each of them.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

_OWN = {
    *("LastModified", "Date", "Initiated", "ID", "RetainUntilDate", "Location", "Owner", "Initiator"),
    *("NextContinuationToken", "ContinuationToken", "NextMarker", "HTTPHeaders", "RetryAttempts"),
    *("RequestId", "HostId", "StartAfter", "ObjectLockRetainUntilDate", "Restore", "ServerSideEncryption"),
}
_IDS = {
    "VersionId",
    "UploadId",
    "CopySourceVersionId",
    "NextVersionIdMarker",
    "VersionIdMarker",
    "DeleteMarkerVersionId",
}
KEYS = ("a", "b", "a/1", "a/2", "a/b/c", "z z+%", "ünï/歌", "/lead", "x//y", "dir/", "a/../c", "&<>'\"")
_CLASSES = ("STANDARD", "STANDARD_IA", "GLACIER", "NONSENSE")
_LARGE = 300_000  # lies in a file from the beginning


@dataclass(frozen=True)
class Known:
    """What a server has given out: `kind` is Version or Upload or Etag."""

    kind: str
    number: int


@dataclass
class Server:
    """One of the two."""

    s3: Any
    known: dict[str, list[str]] = field(default_factory=lambda: {"Version": [], "Upload": [], "Etag": []})

    def ask(self, name: str, arguments: dict[str, Any]) -> Any:
        """The answer to a call."""
        try:
            return getattr(self.s3, name)(**self._with_ids(arguments))
        except ClientError as error:
            return error.response

    def learn(self, kind: str, answer: dict[str, Any], name: str) -> None:
        """Remember an id; one that is not there as well, so that numbers stay the same on both."""
        self.known[kind].append(str(answer.get(name, "none")))

    def _with_ids(self, value: Any) -> Any:
        match value:
            case Known():
                return self.known[value.kind][value.number]
            case dict():
                return {name: self._with_ids(one) for name, one in value.items()}
            case list():
                return [self._with_ids(one) for one in value]
        return value


def comparable(value: Any, name: str = "") -> Any:
    """An answer without what differs between servers."""
    match value:
        case dict():
            if "Error" in value:
                return value["Error"].get("Code"), value["ResponseMetadata"]["HTTPStatusCode"]
            return {key: comparable(one, key) for key, one in value.items() if key not in _OWN}
        case list():
            return [comparable(one) for one in value]
        case str() if name in _IDS:
            return value if value in {"null", ""} else "an id"
    return value.read() if hasattr(value, "read") else value


def _agree(moto: Any, told: Any) -> bool:
    """Whether the sandbox says what moto does; what moto stumbles over it refuses."""
    return bool(told == moto or (moto == ("500", 500) and isinstance(told, tuple) and told[1] == 400))


class Sequence:
    """Calls by chance.

    Args:
        seed: Of chance.
        servers: Which are asked the same.
        plain: Only what is kept when the server is killed: neither versions nor tags, grants and locks.
    """

    def __init__(self, seed: int, servers: Iterable[Server], *, plain: bool) -> None:
        self.chance = random.Random(seed)
        self.servers = list(servers)
        self.log: list[str] = []
        self._plain = plain
        self._uploads: list[tuple[str, str, list[tuple[int, Known]]]] = []
        self._versions: list[tuple[str, str]] = []
        self._number = 0
        self.buckets = [f"one-{seed}", f"two-{seed}", *(() if plain else (f"locked-{seed}",))]
        for bucket in self.buckets:
            self.ask("create_bucket", Bucket=bucket, ObjectLockEnabledForBucket=bucket.startswith("locked"))

    def ask(self, name: str, **arguments: Any) -> list[Any]:
        """Make a call of all servers; they have to say the same."""
        answers = [server.ask(name, arguments) for server in self.servers]
        told = [comparable(answer) for answer in answers]
        self.log.append(f"{name} {arguments!r:.300} -> {told[0]!r:.200}")
        assert _agree(*told), "\n".join([*self.log[-40:], *map(repr, told)])
        return answers

    def end_uploads(self) -> None:
        """The servers have forgotten what was under way."""
        self._uploads.clear()
        for server in self.servers:
            server.known["Upload"].clear()

    def step(self) -> None:
        """One call more."""
        kinds = [*_PLAIN, *(() if self._plain else _RICH)]
        self.chance.choice(kinds)(self)

    def bucket(self) -> str:
        return self.chance.choice(self.buckets)

    def place(self) -> dict[str, Any]:
        """A bucket and a key."""
        return {"Bucket": self.bucket(), "Key": self.chance.choice(KEYS)}

    def maybe(self, **arguments: Any) -> dict[str, Any]:
        """Each of these arguments, or not."""
        return {name: value for name, value in arguments.items() if self.chance.random() < 0.4}

    def put(self) -> None:
        self._number += 1
        more = self.maybe(
            Metadata={"Number": str(self._number)},
            ContentType=f"text/x-{self._number}",
            ContentEncoding="gzip",
            CacheControl="no-cache",
            StorageClass=self.chance.choice(_CLASSES),
            ChecksumAlgorithm=self.chance.choice(["SHA256", "CRC32", "SHA1"]),
        )
        if not self._plain:
            more |= self.maybe(Tagging=self.chance.choice(["a=b&c=d", "n=1"]), ACL="public-read")
        place = self.place()
        answers = self.ask("put_object", **place, Body=self._body(), **more)
        self._learn_version(place, answers)

    def put_if(self) -> None:
        condition = self.chance.choice([{"IfNoneMatch": "*"}, {"IfMatch": self._etag()}])
        self._learn_version(
            place := self.place(), self.ask("put_object", **place, Body=self._body(), **condition)
        )

    def copy(self) -> None:
        place = self.place()
        source = place if self.chance.random() < 0.3 else self.place()
        more = self.maybe(StorageClass=self.chance.choice(_CLASSES[:3]))
        if self.chance.random() < 0.3:
            more |= {"MetadataDirective": "REPLACE", "Metadata": {"copied": "yes"}, "ContentType": "text/x"}
        if not self._plain and self.chance.random() < 0.3:
            more |= {"TaggingDirective": "REPLACE", "Tagging": "copied=yes"}
        self._learn_version(place, self.ask("copy_object", **place, CopySource=dict(source), **more))

    def delete(self) -> None:
        self.ask("delete_object", **self.place())

    def delete_many(self) -> None:
        named = [{"Key": key} for key in self.chance.sample(KEYS, 3)]
        self.ask("delete_objects", Bucket=self.bucket(), Delete={"Objects": named})

    def make_bucket(self) -> None:
        bucket = self.bucket()
        self.ask("create_bucket", Bucket=bucket, ObjectLockEnabledForBucket=bucket.startswith("locked"))

    def drop_bucket(self) -> None:
        self.ask("delete_bucket", Bucket=self.bucket())

    def get(self) -> None:
        more = self.chance.choice(
            [
                {},
                {"ChecksumMode": "ENABLED"},
                {
                    "Range": self.chance.choice(
                        ["bytes=1-3", "bytes=2-", "bytes=-2", "bytes=0-0", "bytes=999999-"]
                    )
                },
                {"IfMatch": self._etag()},
                {"IfNoneMatch": self._etag()},
                {} if self._plain else {"PartNumber": 1},
            ]
        )
        self.ask(self.chance.choice(["get_object", "head_object"]), **self.place(), **more)

    def attributes(self) -> None:
        names = ["ETag", "Checksum", "ObjectSize", "StorageClass"]
        self.ask("get_object_attributes", **self.place(), ObjectAttributes=names)

    def page(self) -> None:
        name = self.chance.choice(["list_objects", "list_objects_v2"])
        more = self.maybe(
            Prefix=self.chance.choice(["a", "a/", "z", "", "x/"]),
            Delimiter="/",
            MaxKeys=self.chance.randrange(5),
        )
        after = {"list_objects": "Marker", "list_objects_v2": "StartAfter"}[name]
        self.ask(name, Bucket=self.bucket(), **more, **self.maybe(**{after: self.chance.choice(KEYS)}))

    def begin(self) -> None:
        place = self.place()
        more = self.maybe(Metadata={"up": "load"}, ContentType="text/u", StorageClass="STANDARD_IA")
        answers = self.ask("create_multipart_upload", **place, **more)
        for server, answer in zip(self.servers, answers, strict=True):
            server.learn("Upload", answer, "UploadId")
        self._uploads.append((place["Bucket"], place["Key"], []))

    def part(self) -> None:
        if not self._uploads:
            return
        upload, place, parts = self._upload()
        number = self.chance.randrange(1, 3)
        if self.chance.random() < 0.3:
            name, more = (
                "upload_part_copy",
                {"CopySource": self.place()} | self.maybe(CopySourceRange="bytes=0-1"),
            )
        else:
            name, more = "upload_part", {"Body": self._body()}
        answers = self.ask(name, **place, UploadId=upload, PartNumber=number, **more)
        for server, answer in zip(self.servers, answers, strict=True):
            server.learn("Etag", answer.get("CopyPartResult", answer), "ETag")
        parts.append((number, Known("Etag", len(self.servers[0].known["Etag"]) - 1)))

    def complete(self) -> None:
        if not self._uploads:
            return
        upload, place, parts = self._upload()
        named = [{"PartNumber": number, "ETag": etag} for number, etag in sorted(dict(parts).items())]
        if named:
            answers = self.ask(
                "complete_multipart_upload", **place, UploadId=upload, MultipartUpload={"Parts": named}
            )
            self._learn_version(place, answers)

    def abort(self) -> None:
        if self._uploads:
            upload, place, _ = self._upload()
            self.ask("abort_multipart_upload", **place, UploadId=upload)

    def parts(self) -> None:
        if self._uploads:
            upload, place, _ = self._upload()
            self.ask("list_parts", **place, UploadId=upload)

    def versioning(self) -> None:
        status = self.chance.choice(["Enabled", "Enabled", "Suspended"])
        bucket = self.chance.choice(self.buckets[:2])
        self.ask("put_bucket_versioning", Bucket=bucket, VersioningConfiguration={"Status": status})

    def list_versions(self) -> None:
        more = self.maybe(
            Prefix=self.chance.choice(["a", "z"]),
            Delimiter="/",
            MaxKeys=self.chance.randrange(1, 6),
            KeyMarker="a/1",
        )
        self.ask("list_object_versions", Bucket=self.bucket(), **more)

    def version(self) -> None:
        if not self._versions:
            return
        number = self.chance.randrange(len(self._versions))
        bucket, key = self._versions[number]
        place = {"Bucket": bucket, "Key": key, "VersionId": Known("Version", number)}
        match self.chance.randrange(6):
            case 0 | 1:
                self.ask("delete_object", **place)
            case 2:
                self.ask("delete_objects", Bucket=place.pop("Bucket"), Delete={"Objects": [place]})
            case 3:
                self.ask("copy_object", **self.place(), CopySource=place)
            case _:
                name = self.chance.choice(
                    ["get_object", "head_object", "get_object_tagging", "get_object_acl"]
                )
                self.ask(name, **place)

    def tag(self) -> None:
        tags = self.chance.choice([[], [{"Key": "t", "Value": "1"}], [{"Key": "x", "Value": ""}] * 2])
        match self.chance.randrange(3):
            case 0:
                self.ask("put_object_tagging", **self.place(), Tagging={"TagSet": tags})
            case 1:
                self.ask("get_object_tagging", **self.place())
            case _:
                self.ask("delete_object_tagging", **self.place())

    def grant(self) -> None:
        if self.chance.random() < 0.5:
            self.ask("put_object_acl", **self.place(), ACL=self.chance.choice(["private", "public-read"]))
        else:
            self.ask("get_object_acl", **self.place())

    def lock(self) -> None:
        place = {"Bucket": self.buckets[2], "Key": self.chance.choice(KEYS)}
        status = self.chance.choice(["ON", "OFF", "OFF"])
        self.ask("put_object_legal_hold", **place, LegalHold={"Status": status})
        self.ask("get_object_legal_hold", **place)

    def restore(self) -> None:
        self.ask("restore_object", **self.place(), RestoreRequest={"Days": 1})

    def _body(self) -> bytes:
        self._number += 1
        text = f"{self._number}-".encode()
        return self.chance.choice([b"", text, text, text * 50, text * (_LARGE // len(text) + 1)])

    def _etag(self) -> str:
        """That of some object, or of none."""
        answer = self.servers[0].ask("list_objects", {"Bucket": self.bucket()})
        return str(self.chance.choice([*(one["ETag"] for one in answer.get("Contents", [])), '"0"']))

    def _upload(self) -> tuple[Known, dict[str, Any], list[tuple[int, Known]]]:
        number = self.chance.randrange(len(self._uploads))
        bucket, key, parts = self._uploads[number]
        return Known("Upload", number), {"Bucket": bucket, "Key": key}, parts

    def _learn_version(self, place: dict[str, Any], answers: Iterable[Any]) -> None:
        for server, answer in zip(self.servers, answers, strict=True):
            server.learn("Version", answer, "VersionId")
        self._versions.append((place["Bucket"], place["Key"]))


_PLAIN: tuple[Callable[[Sequence], None], ...] = (
    *(Sequence.put, Sequence.put, Sequence.put, Sequence.put, Sequence.put_if, Sequence.copy, Sequence.copy),
    *(Sequence.delete, Sequence.delete_many, Sequence.make_bucket, Sequence.drop_bucket, Sequence.get),
    *(Sequence.get, Sequence.get, Sequence.attributes, Sequence.page, Sequence.page, Sequence.begin),
    *(Sequence.part, Sequence.part, Sequence.complete, Sequence.complete, Sequence.abort, Sequence.parts),
)
_RICH: tuple[Callable[[Sequence], None], ...] = (
    *(Sequence.versioning, Sequence.list_versions, Sequence.version, Sequence.version, Sequence.version),
    *(Sequence.tag, Sequence.tag, Sequence.grant, Sequence.lock, Sequence.restore),
)


def state(s3: Any) -> dict[str, Any]:
    """What a server has to keep: every object with what S3 tells of it."""
    found: dict[str, Any] = {}
    for bucket in sorted(one["Name"] for one in s3.list_buckets()["Buckets"]):
        listed = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
        also = s3.list_objects(Bucket=bucket).get("Contents", [])
        assert [(one["Key"], one["ETag"], one["Size"]) for one in also] == [
            (one["Key"], one["ETag"], one["Size"]) for one in listed
        ]
        found[bucket] = {one["Key"]: _object(s3, bucket, one["Key"]) | {"listed": one} for one in listed}
    return found


def _object(s3: Any, bucket: str, key: str) -> dict[str, Any]:
    told = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    names = (
        "LastModified",
        "ETag",
        "ContentType",
        "ContentEncoding",
        "CacheControl",
        "Metadata",
        "StorageClass",
    )
    kept = {name: told.get(name) for name in (*names, "ContentLength", "ChecksumSHA256", "ChecksumCRC32")}
    if told.get("StorageClass") != "GLACIER":
        kept["body"] = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return kept
