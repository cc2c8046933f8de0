"""Alerts: each change from good to bad, and back, told once to whom an Airflow Variable names."""

from sparkify_watch.alerts.notifiers import (
    CauseNotifier,
    ExpiryNotifier,
    LateLoadNotifier,
    LateRunNotifier,
    RunNotifier,
)

__all__ = [
    "CauseNotifier",
    "ExpiryNotifier",
    "LateLoadNotifier",
    "LateRunNotifier",
    "RunNotifier",
]
