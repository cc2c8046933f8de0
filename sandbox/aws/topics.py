"""SNS without subscriptions: topics take messages, and nothing leaves this machine.

moto's SNS posts to whatever HTTP endpoint subscribes. Here nobody subscribes: what was published is read from
`GET /_sandbox/published`.
"""

from collections.abc import Iterable
from typing import Any

from moto.sns.models import sns_backends

from sandbox.aws import calls, wsgi
from sandbox.aws.access.request import ACCOUNT
from sandbox.aws.refusals import RefusalError, respond
from sandbox.aws.wsgi import Application, Environ, StartResponse

NAME = "sns"
_SERVED = frozenset(("CreateTopic", "DeleteTopic", "GetTopicAttributes", "ListTopics", "Publish"))


class Topics:
    """A WSGI layer that lets the few calls to SNS pass which reach nobody else.

    Args:
        application: The layer below.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Carry a request out, or refuse one that would have SNS call somebody."""
        if environ[wsgi.SERVICE] == NAME and (action := calls.read(environ).action) not in _SERVED:
            served = ", ".join(sorted(_SERVED))
            error = RefusalError(
                "400 Bad Request", "InvalidAction", f"Of SNS the sandbox has {served}, not {action[:100]!r}."
            )
            return respond(error, environ, start_response)
        return self._application(environ, start_response)


def published() -> list[dict[str, Any]]:
    """What was published, topic by topic, in each oldest first."""
    return [
        {"topic": topic.arn, "subject": subject, "message": message, "attributes": attributes or {}}
        for backend in list(sns_backends[ACCOUNT].values())
        for topic in list(backend.topics.values())
        for _, message, subject, attributes, *_ in list(topic.sent_notifications)
    ]
