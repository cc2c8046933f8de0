"""How each kind of target gets an alert.

Each function reads what it needs from Airflow and returns what sends: only the first must be in the thread
that Airflow gave, only the second waits for a receiver. What a connection holds is never logged.
"""

import json
import logging
import smtplib
import ssl
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from email.utils import localtime
from functools import partial
from typing import Any

from airflow.sdk import Connection

from sparkify_watch.alerts.alert import Alert

SECONDS = 5.0
"""How long a receiver may take for its answer."""

_SLACK_HOST = "https://hooks.slack.com/services"
# What Slack takes of a header and of a text, what SNS takes of a subject.
_SLACK_HEADER, _SLACK_TEXT, _SNS_SUBJECT = 150, 3000, 100

_log = logging.getLogger("sparkify_watch.alerts")


class RefusedError(Exception):
    """A receiver has answered that it does not take the alert; the message holds no secret."""


Send = Callable[[], None]


def send_to_log(_address: str, alert: Alert) -> Send:
    """Write an alert into the log of the process that found the change."""
    level = logging.INFO if alert.is_good else logging.WARNING
    return partial(_log.log, level, "%s", alert.text())


def send_to_webhook(conn_id: str, alert: Alert) -> Send:
    """Post an alert as JSON to the URL of a connection; its password goes along as a bearer token."""
    server = Connection.get(conn_id)
    headers = {"Authorization": f"Bearer {server.password}"} if server.password else {}
    return partial(_post, _url(server), alert.document(), headers)


def send_to_slack(conn_id: str, alert: Alert) -> Send:
    """Post an alert to an incoming webhook of Slack, whose last parts are the connection's password."""
    server = Connection.get(conn_id)
    url = _url(server) if server.host else _SLACK_HOST
    return partial(_post, f"{url.rstrip('/')}/{server.password or ''}".rstrip("/"), slack_message(alert), {})


def slack_message(alert: Alert) -> dict[str, Any]:
    """Return an alert as Slack shows it."""
    body = alert.text().partition("\n")[2]
    links = f"<{alert.run_link}|The run>  <{alert.page_link}|The warehouse>"
    return {
        "text": _escaped(alert.headline()),
        "blocks": [
            {"type": "header", "text": _plain(alert.headline(), _SLACK_HEADER)},
            {"type": "section", "text": _plain(body, _SLACK_TEXT)},
            {"type": "section", "text": {"type": "mrkdwn", "text": links}},
        ],
    }


def send_by_mail(address: str, alert: Alert) -> Send:
    """Send an alert as plain text over the connection `smtp_default`, of the SMTP provider's fields."""
    server = Connection.get("smtp_default")
    extra = server.extra_dejson
    message = EmailMessage()
    message["Subject"], message["To"], message["Date"] = alert.headline(), address, localtime()
    message["From"] = extra.get("from_email") or server.login or address
    message.set_content(alert.text())
    return partial(_mail, server, extra, message)


def send_to_sns(arn: str, alert: Alert) -> Send:
    """Publish an alert to a topic, as the identity of the connection `aws_default`."""
    from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook  # noqa: PLC0415 - costs a second
    from botocore.config import Config  # noqa: PLC0415

    once = Config(connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 1})
    hook: AwsGenericHook[Any] = AwsGenericHook(
        client_type="sns", region_name=arn.split(":")[3] or None, config=once
    )
    ordered = {"MessageGroupId": alert.subject, "MessageDeduplicationId": alert.id}
    message = {
        "TopicArn": arn,
        # SNS takes ASCII alone here.
        "Subject": alert.headline().encode("ascii", "replace").decode()[:_SNS_SUBJECT],
        "Message": alert.text(),
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value}
            for name, value in {"kind": alert.kind, "state": alert.state}.items()
        },
        **(ordered if arn.endswith(".fifo") else {}),
    }
    # Reads the Airflow connection. The client may have to ask STS for credentials first.
    hook.conn_config  # noqa: B018 - kept by the hook
    return lambda: hook.get_conn().publish(**message)


SENDERS: Mapping[str, Callable[[str, Alert], Send]] = {
    "log": send_to_log,
    "webhook": send_to_webhook,
    "slack": send_to_slack,
    "email": send_by_mail,
    "sns": send_to_sns,
}
"""What makes the sending to each kind of target."""


def describe_error(error: Exception) -> str:
    """Return what went wrong without the words of the error, which may quote a URL with a token in it."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - costs half a second

    if isinstance(error, RefusedError):
        return str(error)
    if isinstance(error, ClientError):
        return str(error.response["Error"].get("Code", "ClientError"))
    code = getattr(error, "smtp_code", "")
    return f"{type(error).__name__} {code}".strip()


def _post(url: str, document: Mapping[str, Any], headers: Mapping[str, str]) -> None:
    import requests  # noqa: PLC0415 - most runs end with nobody to be told

    sent = {"Content-Type": "application/json", **headers}
    # The answer's body is not asked for, and a redirect would take the token elsewhere.
    with requests.post(
        url,
        data=json.dumps(document).encode(),
        headers=sent,
        timeout=SECONDS,
        allow_redirects=False,
        stream=True,
    ) as answer:
        if not 200 <= answer.status_code < 300:
            raise RefusedError(f"HTTP status {answer.status_code}")


def _mail(server: Connection, extra: Mapping[str, Any], message: EmailMessage) -> None:
    with _mail_client(server, extra) as client:
        if server.login and server.password:
            client.login(server.login, server.password)
        client.send_message(message)


def _url(server: Connection) -> str:
    """Return the URL that a connection's fields make: the host may hold the whole of it."""
    host, port = server.host or "", f":{server.port}" if server.port else ""
    base = host if "://" in host else f"{server.schema or 'https'}://{host}{port}"
    return base + str(server.extra_dejson.get("path", ""))


def _mail_client(server: Connection, extra: Mapping[str, Any]) -> smtplib.SMTP:
    host, port = server.host or "", server.port or 0
    if not extra.get("disable_ssl"):
        return smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=ssl.create_default_context())
    client = smtplib.SMTP(host, port, timeout=SECONDS)
    if not extra.get("disable_tls"):
        client.starttls(context=ssl.create_default_context())
    return client


def _plain(text: str, length: int) -> dict[str, Any]:
    shown = text if len(text) <= length else text[: length - 1] + "…"
    return {"type": "plain_text", "text": shown, "emoji": False}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
