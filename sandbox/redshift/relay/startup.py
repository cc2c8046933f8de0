"""What a client's StartupMessage asks for, and what of it PostgreSQL is told."""

import re
from collections.abc import Mapping

from sandbox.redshift.dialect import lexical

# What drivers send and may choose; PostgreSQL refuses the connection for what it does not know.
_FORWARDED = frozenset(
    (
        *("user", "database", "application_name", "options"),
        *("datestyle", "timezone", "extra_float_digits", "search_path", "statement_timeout"),
    )
)
_CASE = "enable_case_sensitive_identifier"
_CASE_OPTION = re.compile(rf"(?:-c\s*|--){_CASE}=(on|off|true|false|1|0|yes|no)(?=\s|\Z)\s*", re.IGNORECASE)
_TRUE = frozenset(("on", "true", "1", "yes"))


def keeps_case(startup: Mapping[str, str]) -> bool:
    """Whether names in quotes keep their capitals in this session.

    The guide's page enable_case_sensitive_identifier. Here the beginning of a session decides, and no SET.
    """
    found = _CASE_OPTION.findall(startup.get("options", "")) or [startup.get(_CASE, "")]
    return found[-1].lower() in _TRUE


def forwarded(startup: Mapping[str, str]) -> dict[str, str]:
    """The parameters for PostgreSQL, with those that say what tokens are."""
    known = {name: value for name, value in startup.items() if name.lower() in _FORWARDED}
    if "options" in known:
        known["options"] = _CASE_OPTION.sub("", known["options"])
    return {**known, **lexical.PINNED}
