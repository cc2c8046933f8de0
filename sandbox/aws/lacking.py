"""Operations that the sandbox has not: refused by name and at once, whatever the service.

moto takes some of S3's for other operations, as it goes by the parameters that it knows: PutBucketAbac for
CreateBucket, RenameObject for PutObject.
"""

from sandbox.aws.calls import Call
from sandbox.aws.refusals import RefusalError

_KINDS = ("Abac", "AnalyticsConfiguration", "IntelligentTieringConfiguration", "MetricsConfiguration")
_LACKING = frozenset(
    (
        *(f"{verb}Bucket{kind}" for verb in ("Get", "Put", "Delete") for kind in _KINDS),
        *(f"ListBucket{kind}s" for kind in _KINDS),
        *("GetBucketRequestPayment", "PutBucketRequestPayment", "CreateSession", "RenameObject"),
        *("GetObjectTorrent", "UpdateObjectEncryption"),
        *(
            f"{verb}Bucket{kind}Configuration"
            for verb in ("Create", "Get", "Delete")
            for kind in ("Metadata", "MetadataTable")
        ),
        *("UpdateBucketMetadataInventoryTableConfiguration", "UpdateBucketMetadataJournalTableConfiguration"),
        *("UpdateBucketMetadataAnnotationTableConfiguration", "ListObjectAnnotations"),
        *(f"{verb}ObjectAnnotation" for verb in ("Get", "Put", "Delete")),
    )
)


# Of EC2 the sandbox has networks: nothing here starts a machine, or knows its types (`small_moto`).
_MACHINES = frozenset(
    (
        *("RunInstances", "RunScheduledInstances", "RequestSpotInstances", "RequestSpotFleet", "CreateFleet"),
        *("DescribeInstanceTypes", "DescribeInstanceTypeOfferings", "ModifyInstanceAttribute"),
    )
)


def check(call: Call) -> None:
    """Refuse a request for an operation of S3 that is another one to moto, or one about EC2's machines.

    Raises:
        RefusalError: NotImplemented.
    """
    if call.service == "ec2" and call.action in _MACHINES:
        raise refusal("ec2", call.action)
    if call.service != "s3":
        return
    # The router knows it by another parameter's place than boto3 gives it.
    action = "RenameObject" if "renameObject" in call.parameters else call.action
    if action in _LACKING:
        raise refusal("s3", action)


def refusal(service: str, action: str) -> RefusalError:
    """The error for an operation that is not there.

    Its status is one that clients do not try again after; AWS, which has the operation, has no such error.
    """
    code = "UnknownOperationException" if service in _JSON else _CODES.get(service, "InvalidAction")
    return RefusalError("400 Bad Request", code, f"The sandbox has no {action[:100]} of {service}.")


_JSON = frozenset(("redshift-data", "redshift-serverless", "secretsmanager"))
_CODES = {"s3": "NotImplemented"}
