"""Each kind of receiver gets an alert, from a real one of its kind."""

import dataclasses
import json
import logging
import re
import socket
import time
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from airflow.sdk import Variable

from sparkify.window import Window
from sparkify_watch import alerts
from sparkify_watch.alerts.alert import Alert
from sparkify_watch.alerts.delivery import deliver
from sparkify_watch.alerts.targets import KINDS, Target, parse_targets
from sparkify_watch.alerts.wording import WORDS
from tests.conftest import REPOSITORY
from tests.sandbox.aws.client import client
from tests.sandbox.aws.faults import AwsFaults
from tests.sparkify_watch.alerts.fixtures import set_connection

HOUR = Window.of_hour(datetime(2018, 11, 15, 9, tzinfo=UTC))
ALERT = Alert(
    id="sparkify_etl/failed_run/1",
    kind="failed_run",
    state="bad",
    subject="sparkify_etl",
    title="sparkify_etl: a run failed",
    cause="Line 3 of ä.json: <b>'x' & \"y\"</b>\nis no event.",
    remedy="Mend the file.",
    since="2018-11-15T10:00:00+00:00",
    dag_id="sparkify_etl",
    run_id="scheduled__2018-11-15T09:00:00+00:00",
    window=HOUR,
    left=[HOUR],
    run_link="http://airflow.example/dags/sparkify_etl/runs/x",
    page_link="http://airflow.example/warehouse/dag/sparkify_etl",
)
ALL_CLEAR = dataclasses.replace(ALERT, state="good", remedy="", left=[], window=None)
SCHEMA = json.loads((Path(alerts.__file__).parent / "schema.json").read_text())
SECRET = "T0000/B0000/very-secret"


def sent(*entries, alert=ALERT):
    """Send an alert to targets; return the names of those that have taken it."""
    return {str(target) for target in deliver(dict.fromkeys(parse_targets(" ".join(entries)), alert))}


@pytest.mark.parametrize("alert", [ALERT, ALL_CLEAR])
def test_a_webhook_gets_what_the_schema_describes(webhook, as_task, alert):
    assert sent("webhook:alerts", alert=alert) == {"webhook:alerts"}
    (posted,) = webhook.posted
    checker = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
    checker.validate(posted.document)
    assert posted.document["cause"] == alert.cause
    assert posted.path == "/in"
    assert posted.headers["Authorization"] == "Bearer hook-token"


def test_the_schema_describes_every_field_and_no_other():
    assert set(SCHEMA["properties"]) == set(SCHEMA["required"]) == set(ALERT.document())
    assert all("description" in field for name, field in SCHEMA["properties"].items() if name != "links")
    kinds = {"failed_run", "quality_error", "late_load", "cluster_expiry"}
    assert set(SCHEMA["properties"]["kind"]["enum"]) == kinds


def test_a_webhook_can_be_told_by_the_fields_of_a_connection(receiver, as_task, monkeypatch):
    port = int(receiver.url.rpartition(":")[2])
    set_connection(
        monkeypatch, "alerts", schema="http", host="127.0.0.1", port=port, extra={"path": "/a?b=c"}
    )
    assert sent("webhook:alerts") == {"webhook:alerts"}
    assert receiver.posted[0].path == "/a?b=c"
    assert "Authorization" not in receiver.posted[0].headers


def test_slack_gets_a_text_and_blocks(receiver, as_task, monkeypatch):
    set_connection(monkeypatch, "slack", host=f"{receiver.url}/services", password=SECRET)
    assert sent("slack:slack") == {"slack:slack"}
    (posted,) = receiver.posted
    assert posted.path == f"/services/{SECRET}"
    assert posted.document["text"] == "[alert] sparkify_etl: a run failed"
    header, body, links = posted.document["blocks"]
    assert header["text"]["text"] == posted.document["text"]
    assert "Window: [2018-11-15T09:00:00+00:00, 2018-11-15T10:00:00+00:00)" in body["text"]["text"]
    assert body["text"]["type"] == "plain_text"
    assert f"<{ALERT.run_link}|" in links["text"]["text"]


def test_slack_takes_a_cause_of_any_length(receiver, as_task, monkeypatch):
    set_connection(monkeypatch, "slack", host=receiver.url, password="x")
    sent("slack:slack", alert=dataclasses.replace(ALERT, title="t" * 500, cause="c" * 5000))
    header, body, _ = receiver.posted[0].document["blocks"]
    assert len(header["text"]["text"]) == 150
    assert len(body["text"]["text"]) == 3000


def test_mail_is_plain_text(mailbox, as_task):
    assert sent("email:ada@example.org", "email:bob@example.org") == {
        "email:ada@example.org",
        "email:bob@example.org",
    }
    assert sorted(to for to, _ in mailbox) == [["ada@example.org"], ["bob@example.org"]]
    _, message = mailbox[0]
    assert message["Subject"] == "[alert] sparkify_etl: a run failed"
    assert message["From"] == "airflow@example.org"
    assert message.get_content_type() == "text/plain"
    text = message.get_content().replace("\r\n", "\n")
    assert text.strip() == ALERT.text()
    assert "Line 3 of ä.json: <b>" in text


def test_a_topic_of_sns_gets_the_text(sandbox, as_task):
    topic = client(sandbox, "sns").create_topic(Name="sparkify-alerts")["TopicArn"]
    assert sent(f"sns:{topic}") == {f"sns:{topic}"}
    (message,) = [one for one in AwsFaults(sandbox).published() if one["topic"] == topic]
    assert message["subject"] == "[alert] sparkify_etl: a run failed"
    assert message["message"] == ALERT.text()
    assert message["attributes"]["kind"]["Value"] == "failed_run"


def test_the_log_has_an_alert_as_a_warning_and_an_all_clear_as_news(as_task, caplog):
    caplog.set_level(logging.INFO)
    sent("log")
    sent("log", alert=ALL_CLEAR)
    levels = [record.levelname for record in caplog.records if record.name == "sparkify_watch.alerts"]
    assert levels == ["WARNING", "INFO"]
    assert ALERT.text() in caplog.text


def silent_port():
    """A port that accepts connections and never says a word."""
    server = socket.create_server(("127.0.0.1", 0))
    return server, server.getsockname()[1]


def test_receivers_that_are_dead_cost_the_limit_once_and_keep_nobody_from_hearing(
    webhook, as_task, monkeypatch, caplog
):
    mute, port = silent_port()
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = free.getsockname()[1]
    set_connection(monkeypatch, "hanging", host=f"http://127.0.0.1:{port}", password=SECRET)
    set_connection(monkeypatch, "refusing", host=f"http://127.0.0.1:{closed}/{SECRET}")
    set_connection(monkeypatch, "smtp_default", host="127.0.0.1", port=port, password=SECRET, login="ada")
    entries = [
        "webhook:hanging",
        "slack:hanging",
        "webhook:refusing",
        "webhook:missing",
        "email:a@example.org",
    ]
    limit = 1.0
    monkeypatch.setattr("sparkify_watch.alerts.delivery.SECONDS", limit)
    # Airflow's API takes seconds to start in this process.
    Variable.get("nothing", default="")
    began = time.monotonic()
    with mute:
        assert sent(*entries, "webhook:alerts") == {"webhook:alerts"}
    assert limit <= time.monotonic() - began < limit + 3
    faults = dict(re.findall(r"The alert for (\S+) was not delivered: (.*)\.", caplog.text))
    assert set(faults) == set(entries)
    assert faults["webhook:refusing"] == "ConnectionError"
    assert faults["webhook:missing"] == "AirflowNotFoundException"
    assert SECRET not in caplog.text


@pytest.mark.parametrize("status", [302, 400, 404, 500])
def test_a_receiver_that_says_no_has_not_heard(receiver, as_task, monkeypatch, caplog, status):
    receiver.status = status
    set_connection(monkeypatch, "alerts", host=f"{receiver.url}/{SECRET}", password=SECRET)
    assert sent("webhook:alerts") == set()
    assert f"webhook:alerts was not delivered: HTTP status {status}." in caplog.text
    assert SECRET not in caplog.text


def test_a_topic_that_refuses_is_named_by_its_code(sandbox, as_task, caplog):
    assert sent("sns:arn:aws:sns:us-east-1:123456789012:nowhere") == set()
    assert "was not delivered: NotFound" in caplog.text


def test_targets_are_read_one_by_one(caplog):
    good = "log, webhook:a slack:b,email:ada@example.org\nsns:arn:aws:sns:us-east-1:1:t log"
    assert parse_targets(f"{good} pager:1 webhook log:x") == [
        Target("log"),
        Target("webhook", "a"),
        Target("slack", "b"),
        Target("email", "ada@example.org"),
        Target("sns", "arn:aws:sns:us-east-1:1:t"),
    ]
    wrong = re.findall(r"no target: '(.*?)'", caplog.text)
    assert wrong == ["pager:1", "webhook", "log:x"]
    assert parse_targets("") == []


def test_the_page_on_alerts_names_every_kind_and_target_and_its_example_is_one():
    page = (REPOSITORY / "docs" / "alerts.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \| .* \| .* \| .* \|$", page, re.MULTILINE)) == set(WORDS)
    assert set(re.findall(r"^\| `(\w+)(?::[A-Z_]+)?` \| [^|]* \|$", page, re.MULTILINE)) == set(KINDS)
    examples = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", page, re.DOTALL)]
    (example,) = [one for one in examples if "version" in one]
    jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(example)
    assert example["remedy"] == WORDS[example["kind"]].remedy
