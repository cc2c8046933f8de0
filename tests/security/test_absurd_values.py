"""Requests with a good signature and absurd values: an error that says so, and a server that lives on."""

import random
import socket
import urllib.parse
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import pytest

from sandbox.parts.parts import Aws
from tests.sandbox.aws.client import keys
from tests.security.raw_http import Signed, answer_of, connected, exchange, head, status

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytest_plugins = ("tests.sandbox.aws.fixtures", "tests.security.aws_fixtures")

DIGITS = "9" * 5000
NUMBERS = ("-1", "0", DIGITS, "1e9", "٣", "²", "+1", " 1", "", "NaN", "0x10", "1_0", "999999999999999999999")
BYTES = ("%ff", "%80%81", "%ed%a0%80", "%00", "%0d%0a", "%c0%af", "%", "%zz", "%F0%9F%98%80", "a" * 2000)
DOCUMENTS = (
    b"",
    b" ",
    b"<",
    b"<a/>",
    b"<a>",
    b"\xff\xfe",
    b"{}",
    b"<Tagging/>",
    b"<Tagging><TagSet/></Tagging>",
    b"<Tagging><TagSet><Tag/></TagSet></Tagging>",
    b"<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>",
    b"<Delete/>",
    b"<Delete><Object/></Delete>",
    b"<Delete><Object><Key/></Object></Delete>",
    b"<Delete><Object><Key>k</Key><VersionId>x</VersionId></Object></Delete>",
    b"<CompleteMultipartUpload/>",
    b"<CompleteMultipartUpload><Part/></CompleteMultipartUpload>",
    b"<CompleteMultipartUpload><Part><PartNumber>x</PartNumber><ETag/></Part></CompleteMultipartUpload>",
    b"<CompleteMultipartUpload><Part><PartNumber>" + b"9" * 5000 + b"</PartNumber><ETag>x</ETag></Part>"
    b"</CompleteMultipartUpload>",
    b"<CreateBucketConfiguration/>",
    b"<CreateBucketConfiguration><Tags/></CreateBucketConfiguration>",
    b"<CreateBucketConfiguration><Tags><Tag/></Tags></CreateBucketConfiguration>",
    b"<CreateBucketConfiguration><Tags>x</Tags></CreateBucketConfiguration>",
    b"<CreateBucketConfiguration><LocationConstraint/></CreateBucketConfiguration>",
    b"<LifecycleConfiguration/>",
    b"<LifecycleConfiguration><Rule/></LifecycleConfiguration>",
    b"<LifecycleConfiguration><Rule><Status>Enabled</Status><Filter>x</Filter></Rule></LifecycleConfiguration>",
    b"<VersioningConfiguration/>",
    b"<VersioningConfiguration><Status>Perhaps</Status></VersioningConfiguration>",
    b"<PublicAccessBlockConfiguration/>",
    b"<ServerSideEncryptionConfiguration/>",
    b"<AccessControlPolicy/>",
    b'{"Statement": 5}',
    b'{"Statement": [1]}',
    b"[]",
    b"null",
    b'{"Version": NaN}',
)
SUBRESOURCES = (
    *("tagging", "lifecycle", "policy", "publicAccessBlock", "encryption", "versioning", "cors", "website"),
    *("acl", "ownershipControls", "logging", "notification", "accelerate", "requestPayment", "object-lock"),
    *(
        "replication",
        "inventory&id=x",
        "delete",
        "uploads",
        "select&select-type=2",
        "restore",
        "metrics&id=x",
    ),
)
QUERY_PARAMETERS = (
    *(
        "list-type=2&max-keys",
        "max-keys",
        "versions&max-keys",
        "uploads&max-uploads",
        "partNumber",
        "uploadId",
    ),
    *("list-type=2&continuation-token", "list-type=2&delimiter=/&continuation-token", "versionId", "prefix"),
    *("uploadId=x&max-parts", "uploadId=x&partNumber", "versions&key-marker", "list-type=2&start-after"),
    *("list-type=2&continuation-token=after-", "encoding-type", "delimiter", "response-content-type"),
)
HEADERS = (
    *("x-amz-copy-source-range", "x-amz-tagging", "x-amz-storage-class", "x-amz-acl", "x-amz-meta-a"),
    *("x-amz-object-lock-retain-until-date", "x-amz-object-lock-mode", "x-amz-sdk-checksum-algorithm"),
    *("x-amz-server-side-encryption", "content-type", "content-md5", "if-modified-since", "if-match"),
    *("x-amz-checksum-crc32", "x-amz-copy-source", "x-amz-decoded-content-length", "x-amz-grant-read"),
    *("x-amz-website-redirect-location", "if-none-match", "x-amz-expected-bucket-owner", "range"),
)
ACTIONS = {
    "iam": (
        *("CreateRole", "GetRole", "ListRoles", "CreateUser", "PutRolePolicy", "CreatePolicy", "TagRole"),
        *("CreateAccessKey", "SimulateCustomPolicy", "No", "__init__", ""),
    ),
    "sts": (
        *("AssumeRole", "GetCallerIdentity", "GetSessionToken", "DecodeAuthorizationMessage"),
        *("AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"),
    ),
    "ec2": (
        *("DescribeVpcs", "CreateSecurityGroup", "AuthorizeSecurityGroupIngress", "DescribeSubnets"),
        *("RunInstances", "DescribeSecurityGroups", "CreateTags", "CreateVpc"),
    ),
    "redshift": (
        *("CreateCluster", "DescribeClusters", "ModifyCluster", "CreateClusterSubnetGroup", "CreateTags"),
        *("GetClusterCredentials", "RestoreFromClusterSnapshot", "DeleteCluster", "DescribeClusterSnapshots"),
        *("ResizeCluster", "PauseCluster"),
    ),
}
FORM_PARAMETERS = (
    *(
        "RoleName",
        "AssumeRolePolicyDocument",
        "PolicyDocument",
        "PolicyName",
        "MaxItems",
        "Marker",
        "UserName",
    ),
    *("MaxSessionDuration", "DurationSeconds", "RoleArn", "RoleSessionName", "MaxRecords", "NodeType"),
    *("ClusterIdentifier", "NumberOfNodes", "Port", "MasterUsername", "MasterUserPassword", "DbUser"),
    *("GroupName", "GroupDescription", "VpcId", "IpPermissions.1.FromPort", "IpPermissions.1.ToPort"),
    *("Filter.1.Name", "Filter.1.Value.1", "CidrBlock", "ResourceId.1", "Tag.1.Key", "MinCount", "MaxCount"),
    *("Tags.member.1.Key", "Tags.member.1.Value", "SnapshotIdentifier", "EncodedMessage", "Tags.Tag.1"),
    *(
        "WebIdentityToken",
        "SAMLAssertion",
        "PolicyInputList.member.1",
        "ActionNames.member.1",
        "ResourceName",
    ),
    *("ImageId", "Encrypted", "MaxResults", "SubnetIds.SubnetIdentifier.1"),
)
TARGETS = (
    *("secretsmanager.CreateSecret", "secretsmanager.GetSecretValue", "secretsmanager.PutSecretValue"),
    *("secretsmanager.ListSecrets", "secretsmanager.DeleteSecret", "secretsmanager.GetRandomPassword"),
    *("secretsmanager.TagResource", "secretsmanager.No", "secretsmanager.__init__"),
    *("RedshiftData.ExecuteStatement", "RedshiftData.DescribeStatement", "RedshiftData.No"),
)
JSON_PARAMETERS = (
    *("Name", "SecretId", "SecretString", "ClientRequestToken", "VersionStage", "MaxResults", "Tags"),
    *("Id", "Sql", "ClusterIdentifier", "PasswordLength", "RecoveryWindowInDays"),
)
JSON_VALUES = (
    *("NaN", "-Infinity", "1" * 4000, "1" * 5000, '"\\ud800"', "[]", "{}", "null", "true"),
    '"' + "a" * 70_000 + '"',
)


@pytest.fixture
def aws(aws_server: Aws) -> Aws:
    return aws_server


class Attacker:
    """Signs and sends, on one connection until the server ends it, and remembers what was answered."""

    def __init__(self, aws: Aws, stack: ExitStack) -> None:
        self._aws = aws
        self._stack = stack
        self._peer: socket.socket | None = None
        self.failures: list[str] = []

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        service: str = "s3",
    ) -> str:
        """The answer to a request."""
        given = {"content-length": str(len(body)), **(headers or {})}
        request = Signed(self._aws.settings, method, path, given, service=service, body=body)
        peer = self._peer or self._stack.enter_context(connected(self._aws.settings))
        peer.sendall(request.head + body)
        answer = answer_of(peer, has_body=method != "HEAD")
        assert answer, f"{method} {path[:100]} {body[:100]!r}"
        self._peer = None if b"\r\nConnection: close\r\n" in answer else peer
        if not (200 <= status(answer) < 500 or status(answer) == 501):
            self.failures.append(f"{method} {path[:100]} {headers} {body[:100]!r}: {status(answer)}")
        return answer.decode("utf-8", "replace")

    def call(self, service: str, action: str, rest: str) -> str:
        """The answer to a call of a service with a form."""
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return self.send("POST", "/", f"Action={action}&{rest}".encode(), headers, service)


@pytest.fixture
def attacker(aws: Aws) -> Iterator[Attacker]:
    """Sends what it likes; afterwards the server lives, and nothing was its own fault."""
    start = aws.log.stat().st_size
    with ExitStack() as stack:
        found = Attacker(aws, stack)
        yield found
    written = aws.log.read_bytes()[start:]
    assert found.failures == []
    assert b"Traceback" not in written
    assert written.count(b"cannot be read") <= written.count(b" -> ")
    assert status(exchange(aws.settings, head(aws.settings, path="/_sandbox/health"))) == 200


# Each by itself, with the answer


@pytest.mark.parametrize("value", ["-1", "9" * 5000, "1e9", "%D9%A3", "%C2%B2", "NaN", "2147483648"])
@pytest.mark.parametrize(
    "query",
    [
        "list-type=2&max-keys=",
        "versions&max-keys=",
        "uploads&max-uploads=",
        "list-type=2&delimiter=/&max-keys=",
    ],
)
def test_a_number_that_is_none_is_refused(attacker: Attacker, aws_bucket: str, query: str, value: str):
    answer = attacker.send("GET", f"/{aws_bucket}?{query}{value}")
    assert " 400 " in answer
    assert "<Code>InvalidArgument</Code>" in answer


@pytest.mark.parametrize(
    "query", ["?tagging", "?delete", "?lifecycle", "/k?uploadId=x", "/k?uploadId=x&partNumber=1x"]
)
def test_a_document_that_is_needed_and_missing_is_refused(attacker: Attacker, aws_bucket: str, query: str):
    method = "POST" if "delete" in query or query.endswith("=x") else "PUT"
    answer = attacker.send(method, f"/{aws_bucket}{query}")
    assert " 400 " in answer
    assert "<Code>MalformedXML</Code>" in answer or "<Code>InvalidArgument</Code>" in answer


@pytest.mark.parametrize(
    "policy", ["", "{", "[]", "{}", '{"Statement": 5}', '{"Statement": [1]}', "[" * 90_000]
)
def test_a_policy_that_is_none_does_not_stay(
    attacker: Attacker, aws_s3: "S3Client", aws_bucket: str, policy: str
):
    assert "MalformedPolicy" in attacker.send("PUT", f"/{aws_bucket}?policy", policy.encode())
    assert keys(aws_s3, aws_bucket) == []


def test_an_upload_is_not_completed_by_another_document(
    attacker: Attacker, aws_s3: "S3Client", aws_bucket: str
):
    upload = aws_s3.create_multipart_upload(Bucket=aws_bucket, Key="k")["UploadId"]
    for document in (b"", b"<Delete/>", b"<CompleteMultipartUpload>"):
        answer = attacker.send("POST", f"/{aws_bucket}/k?uploadId={upload}", document)
        assert "MalformedXML" in answer
    assert keys(aws_s3, aws_bucket) == []
    aws_s3.abort_multipart_upload(Bucket=aws_bucket, Key="k", UploadId=upload)


@pytest.mark.parametrize("service", list(ACTIONS))
def test_a_hundred_thousand_parameters_are_refused(attacker: Attacker, service: str):
    answer = attacker.call(service, ACTIONS[service][0], "&".join(f"a{n}=" for n in range(100_000)))
    assert "MalformedQueryString" in answer


@pytest.mark.parametrize("seconds", ["9" * 5000, "-1", "1e3", "NaN", "", "%D9%A3%D9%A3%FF"])
def test_a_presigned_url_is_good_for_a_number_of_seconds(aws: Aws, seconds: str):
    credential = f"{aws.settings.aws_access_key_id}/20261128/us-east-1/s3/aws4_request"
    query = f"X-Amz-Credential={credential}&X-Amz-Date=20261128T000000Z&X-Amz-SignedHeaders=host"
    path = f"/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires={seconds}&{query}&X-Amz-Signature=x"
    answer = exchange(aws.settings, head(aws.settings, path=path))
    assert status(answer) in {400, 403}


@pytest.mark.parametrize(
    "name", ["x-amz-meta-a", "content-type", "x-amz-tagging", "x-amz-copy-source", "range"]
)
@pytest.mark.parametrize("coding", ["latin-1", "utf-8"])
def test_headers_beyond_ascii_are_no_fault_of_the_server(
    aws: Aws, attacker: Attacker, aws_bucket: str, name: str, coding: str
):
    for value in ("ü", "a\xff=b", "bytes=\xb2-"):
        given = {name: value, "content-length": "0", "connection": "close"}
        request = Signed(aws.settings, "PUT", f"/{aws_bucket}/k", given)
        assert status(exchange(aws.settings, request.head.decode().encode(coding))) < 500


# Many at once, by chance


@pytest.mark.parametrize(
    "seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 23))]
)
def test_any_request_to_s3_is_answered(attacker: Attacker, aws_s3: "S3Client", aws_bucket: str, seed: int):
    chance = random.Random(seed)
    aws_s3.put_object(Bucket=aws_bucket, Key="small", Body=b"x" * 100)
    aws_s3.put_object(Bucket=aws_bucket, Key="large", Body=b"x" * 300_000)
    for _ in range(300):
        value = chance.choice((*NUMBERS, *BYTES, "k"))
        parameter = chance.choice((*SUBRESOURCES, *(f"{name}={value}" for name in QUERY_PARAMETERS)))
        path = chance.choice(
            (
                f"/{aws_bucket}",
                f"/{aws_bucket}/small",
                f"/{aws_bucket}/large",
                f"/{aws_bucket}/{value}",
                f"/{value}",
            )
        )
        if chance.random() < 0.8:
            path += f"?{parameter}"
        text = urllib.parse.unquote(chance.choice(NUMBERS)).encode().decode("latin-1").strip()
        headers = {"range": f"bytes={text}-{text}"} if chance.random() < 0.2 else {}
        if chance.random() < 0.3:
            headers[chance.choice(HEADERS)] = text
        method = chance.choice(("GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH"))
        body = chance.choice(DOCUMENTS) if method in {"PUT", "POST"} else b""
        attacker.send(method, path, body, headers)
    with suppress(aws_s3.exceptions.ClientError):  # it may be gone
        aws_s3.put_bucket_versioning(Bucket=aws_bucket, VersioningConfiguration={"Status": "Suspended"})
        aws_s3.delete_bucket_policy(Bucket=aws_bucket)


@pytest.mark.parametrize("service", list(ACTIONS))
@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 41))])
def test_any_call_with_a_form_is_answered(attacker: Attacker, service: str, seed: int):
    chance = random.Random(f"{service} {seed}")
    for action in ACTIONS[service] * 3:
        names = chance.sample(FORM_PARAMETERS, chance.randrange(1, len(FORM_PARAMETERS)))
        values = (chance.choice((*NUMBERS, *BYTES, "a", "{}", '{"Statement": 5}', "true")) for _ in names)
        pairs = zip(names, values, strict=True)
        attacker.call(
            service, action, "&".join(f"{name}={urllib.parse.quote(value, '%')}" for name, value in pairs)
        )
    attacker.call(service, ACTIONS[service][0], "&".join("A" + ".1" * 400 + f".{n}=" for n in range(300)))
    attacker.call(
        service, ACTIONS[service][0], f"Tags.Tag.{DIGITS}.Key=a&Tags.member.99999999999.Key=b&Tag.1.x=3"
    )


@pytest.mark.parametrize("value", JSON_VALUES)
def test_any_call_with_json_is_answered(attacker: Attacker, value: str):
    for target in TARGETS:
        headers = {"x-amz-target": target, "content-type": "application/x-amz-json-1.1"}
        for body in (value, "{" + ",".join(f'"{name}": {value}' for name in JSON_PARAMETERS) + "}"):
            attacker.send(
                "POST", "/", body.encode(), headers, target.partition(".")[0].replace("D", "-d").lower()
            )


@pytest.mark.parametrize("service", [*ACTIONS, "secretsmanager", "redshift-data", "sandbox"])
def test_any_document_to_any_service_is_answered(attacker: Attacker, service: str):
    for document in DOCUMENTS:
        attacker.send("POST", "/", document, service=service)
        attacker.send("POST", "/_sandbox/faults", document, service=service)
    for value in BYTES:
        attacker.send("POST", f"/{value}?Action=X", service=service)
