"""The permissions that requests to EC2, Secrets Manager and SNS need, and those to services without a table.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
"""

from moto.ec2.models import ec2_backends
from moto.secretsmanager.models import secretsmanager_backends

from sandbox.aws.access.policy import Ask
from sandbox.aws.access.request import ACCOUNT, Request

_BY_PREFIX = {"sg": "security-group", "vpc": "vpc", "subnet": "subnet", "eni": "network-interface"}
_SECRETS_WITHOUT_ARN = {"GetRandomPassword", "ListSecrets", "BatchGetSecretValue"}


def ec2_asks(request: Request) -> list[Ask]:
    """What a request to EC2 has to be allowed."""
    action = request.action
    if action == "CreateSecurityGroup":
        new = request.arn("security-group/*")
        found = [request.ask(action, new)]
        if vpc := request.get("VpcId"):
            found.append(Ask(f"ec2:{action}", request.arn(f"vpc/{vpc}"), _tags(request, vpc)))
        tagging = [request.ask("CreateTags", new, more={"ec2:CreateAction": action})] if request.tags else []
        return found + tagging
    if action in {"CreateTags", "DeleteTags"}:
        named = request.given("ResourceId")
    elif action.startswith("Describe") or not (group := request.get("GroupId")):
        named = []
    else:
        named = [group]
    return [
        Ask(f"ec2:{action}", request.arn(f"{_BY_PREFIX.get(name.split('-')[0], '*')}/{name}"), context)
        for name in named
        for context in [request.tagging() | _tags(request, name)]
    ] or [request.ask(action, "*")]


def secret_asks(request: Request) -> list[Ask]:
    """What a request to Secrets Manager has to be allowed."""
    if request.action in _SECRETS_WITHOUT_ARN:
        return [request.ask(request.action, "*")]
    name = request.get("SecretId") or request.get("Name")
    for secret in list(secretsmanager_backends[ACCOUNT][request.region].secrets.values()):
        if name in (secret.name, secret.arn):
            tags = {tag["Key"]: tag["Value"] for tag in secret.tags or []}
            return [request.ask(request.action, secret.arn, tags)]
    return [request.ask(request.action, name if name.startswith("arn:") else request.arn(f"secret:{name}"))]


def topic_asks(request: Request) -> list[Ask]:
    """What a request to SNS has to be allowed."""
    if request.action == "ListTopics":
        return [request.ask(request.action, "*")]
    named = request.get("TopicArn") or request.get("TargetArn")
    return [request.ask(request.action, named or request.arn(request.get("Name")))]


def plain_asks(request: Request) -> list[Ask]:
    """The action on any resource, where nothing is known of the service's resources."""
    return [request.ask(request.action, "*")]


def _tags(request: Request, name: str) -> dict[str, list[str]]:
    """The tags of a resource in EC2."""
    found = ec2_backends[ACCOUNT][request.region].tags.get(name, {})
    return {
        f"{key}:ResourceTag/{tag}": [str(value)] for key in ("aws", "ec2") for tag, value in found.items()
    }
