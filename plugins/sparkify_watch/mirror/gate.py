"""Whether the warehouse may be asked now."""


def reason_not_to_ask() -> str:
    """Return why the warehouse must not be asked, such as `the cluster is paused`, or an empty text.

    It never wakes anything: what sleeps stays asleep.
    """
    return ""
