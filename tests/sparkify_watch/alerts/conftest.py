"""Receivers of alerts, and Airflow as its callbacks see it."""

from tests.sparkify_watch.alerts.fixtures import as_task, mailbox, metadata, receiver, webhook

__all__ = ["as_task", "mailbox", "metadata", "receiver", "webhook"]
