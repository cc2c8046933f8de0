"""What a request says that policies may ask about."""

import json
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID

from sandbox.aws import calls, wsgi
from sandbox.aws.access.policy import Ask
from sandbox.aws.wsgi import Environ

ACCOUNT = DEFAULT_ACCOUNT_ID
# Tags.Tag.1.Key of Redshift, Tags.member.1.Key of IAM, TagSpecification.1.Tag.1.Key and Tag.1.Key of EC2.
_TAG = re.compile(r"(.*\bTags?\.(?:\w+\.)?\d+)\.(Key|Value)|(Tag\.\d+)\.(Key|Value)")
_TAG_KEY = re.compile(r"TagKeys\.\w+\.\d+")


@dataclass(frozen=True)
class Request:
    """One call, by the names of the API reference.

    Args:
        service: The service it was signed for.
        action: The operation.
        region: The region it was signed for.
        values: Parameters; of a query ``List.member.1``, of JSON values as they are, of S3 the query.
        headers: The WSGI environment, for S3.
        user: The caller's name, for IAM's calls about oneself.
    """

    service: str
    action: str
    region: str
    values: Mapping[str, Any]
    headers: Mapping[str, Any]
    user: str = ""

    def get(self, name: str) -> str:
        """A parameter, or nothing."""
        return str(self.values.get(name) or "")

    def given(self, prefix: str) -> list[str]:
        """The values of a list."""
        found = self.values.get(prefix)
        if isinstance(found, list):
            return [str(value) for value in found]
        return [str(value) for name, value in self.values.items() if name.startswith(f"{prefix}.")]

    def arn(self, resource: str) -> str:
        """An ARN of this service in this region."""
        return f"arn:aws:{self.service}:{self.region}:{ACCOUNT}:{resource}"

    @property
    def tags(self) -> dict[str, str]:
        """The tags that the request gives."""
        return dict(self._tags())

    def tagging(self) -> dict[str, list[str]]:
        """aws:RequestTag and aws:TagKeys."""
        tags = self.tags
        keys = [*tags, *self._tag_keys()]
        known = {f"aws:RequestTag/{key}": [value] for key, value in tags.items()}
        return known | ({"aws:TagKeys": keys} if keys else {})

    def ask(
        self,
        action: str,
        resource: str,
        tags: Mapping[str, str] = MappingProxyType({}),
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> Ask:
        """A permission, with what is known of the resource's tags and the request's.

        Args:
            action: ``service:Action``, or ``Action`` of this service.
            resource: An ARN or ``*``.
            tags: The resource's tags.
            more: Further values by condition key; empty ones are left out.
        """
        name = action if ":" in action else f"{self.service}:{action}"
        context = self.tagging() | resource_tags(self.service, tags)
        context |= {key: [value] for key, value in more.items() if value}
        return Ask(name, resource, context)

    def _tags(self) -> Iterator[tuple[str, str]]:
        for name in ("Tags", "tags", "TagList"):
            for tag in self.values[name] if isinstance(self.values.get(name), list) else ():
                lowered = {str(key).lower(): str(value) for key, value in tag.items()}
                yield lowered.get("key", ""), lowered.get("value", "")
        pairs: dict[str, dict[str, str]] = {}
        for name, value in self.values.items():
            if match := _TAG.fullmatch(name):
                pairs.setdefault(match[1] or match[3], {})[match[2] or match[4]] = str(value)
        for pair in pairs.values():
            yield pair.get("Key", ""), pair.get("Value", "")

    def _tag_keys(self) -> list[str]:
        listed: Any = next((self.values[name] for name in ("TagKeys", "tagKeys") if name in self.values), [])
        found = [str(key) for key in listed] if isinstance(listed, list) else []
        return found + [str(value) for name, value in self.values.items() if _TAG_KEY.fullmatch(name)]


def resource_tags(service: str, tags: Mapping[str, str]) -> dict[str, list[str]]:
    """aws:ResourceTag, and the service's own key of the same meaning."""
    keys = ("aws", service) if service in {"ec2", "iam", "secretsmanager"} else ("aws",)
    return {f"{key}:ResourceTag/{name}": [value] for key in keys for name, value in tags.items()}


def read(environ: Environ, user: str) -> Request:
    """The request of an environment; its body can be read again."""
    call = calls.read(environ)
    region = str(environ.get(wsgi.REGION) or "us-east-1")
    return Request(call.service, call.action, region, _values(environ, call), environ, user)


def _values(environ: Environ, call: calls.Call) -> dict[str, Any]:
    query = urllib.parse.parse_qsl(str(environ.get("QUERY_STRING", "")), keep_blank_values=True)
    if call.service == "s3":
        return {**dict(query), **call.resources}
    body = wsgi.read_body(environ)
    if "HTTP_X_AMZ_TARGET" in environ:
        try:
            found = json.loads(body or b"{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}
    return dict(query + urllib.parse.parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
