"""Sending alerts within a limit of time, whatever becomes of the receivers."""

import logging
from collections.abc import Mapping
from threading import Thread
from time import monotonic

from sparkify_watch.alerts.alert import Alert
from sparkify_watch.alerts.receivers import SECONDS, SENDERS, Send, describe_error
from sparkify_watch.alerts.targets import Target

_log = logging.getLogger(__name__)


def deliver(alerts: Mapping[Target, Alert]) -> set[Target]:
    """Send each target its alert, all at once; return those that have taken it.

    Whoever has not answered in time is given up, in whichever way it keeps the sender waiting.
    """
    outcomes: dict[Target, str] = {}
    # No pool: Python would wait for its threads before it ends.
    threads = [
        Thread(target=_note, args=(target, send, outcomes), daemon=True)
        for target, alert in alerts.items()
        if (send := _prepare(target, alert, outcomes))
    ]
    until = monotonic() + SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(until - monotonic(), 0))
    ended = dict(outcomes)
    for target in alerts:
        if fault := ended.get(target, f"no answer within {SECONDS:g} s"):
            _log.error("The alert for %s was not delivered: %s.", target, fault)
    return {target for target, fault in ended.items() if not fault}


def _prepare(target: Target, alert: Alert, outcomes: dict[Target, str]) -> Send | None:
    try:
        return SENDERS[target.kind](target.address, alert)
    except Exception as error:
        outcomes[target] = describe_error(error)
        return None


def _note(target: Target, send: Send, outcomes: dict[Target, str]) -> None:
    try:
        send()
    except Exception as error:
        outcomes[target] = describe_error(error)
    else:
        outcomes[target] = ""
