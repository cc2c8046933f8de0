"""The page on what the sandbox's endpoint refuses, made from its tables of refusals."""

import re
from collections.abc import Iterable

from sandbox.redshift.copy.options import NOT_HERE
from sandbox.redshift.dialect import absent, absent_commands, refused_commands, refused_functions
from sandbox.redshift.dialect.refusal_table import LIKE_WITH_ATTRIBUTES, TABLE

_GUIDE = "https://docs.aws.amazon.com/redshift/latest/dg"
# A page's name, not a word: c_unsupported-postgresql-features, json-functions, declare.
_PAGE = re.compile(r"(?<![\w./-])(?:[a-z]+_[A-Za-z][\w-]*|[A-Za-z]+(?:-[\w]+)+|declare)(?![\w./-])")
_BEGINNING = """<!-- Made by docs/generate.py; change the code, then run make docs. -->

# What the sandbox's endpoint refuses

An error says what is refused and, as its hint, what to write instead. The words of the errors are
Redshift's where they are known, else PostgreSQL's. The last column names the pages of Amazon's Database
Developer Guide, or where an error was seen.
"""
_FUNCTIONS = "c_unsupported-postgresql-functions"


def page() -> str:
    """Return the page."""
    refused = (*TABLE, LIKE_WITH_ATTRIBUTES)
    functions = (
        (", ".join(f"`{name}`" for name in sorted(names.split())), hint or "", _FUNCTIONS)
        for hint, names in refused_functions.GROUPS
    )
    lines = [
        _BEGINNING,
        "## Not in Redshift: clauses, operators, literals\n",
        *_table((rule.name, rule.hint, rule.source) for rule in refused),
        "## Not in Redshift: forms of commands\n",
        *_table((rule.name, rule.hint, rule.source) for rule in refused_commands.TABLE),
        "## Not in Redshift: functions\n",
        *_table(functions),
        "## In Redshift, not in the sandbox\n",
        "The error is `… is not in the sandbox`, SQLSTATE 0A000.\n",
        *_table((rule.name, rule.hint, rule.source) for rule in absent.TABLE),
        *_table(
            (command.name, command.hint, command.source)
            for command in (*absent_commands.TABLE, *absent_commands.ELSEWHERE)
        ),
        "## Options of COPY that are not in the sandbox\n",
        "The error is `COPY with … is not supported by the sandbox`, SQLSTATE 0A000.\n",
        *_table((", ".join(f"`{word}`" for word in words), hint, source) for words, hint, source in NOT_HERE),
    ]
    return "\n".join(lines)


def _table(rows: Iterable[tuple[str, str, str]]) -> list[str]:
    cells = (f"| {_cell(name)} | {_cell(hint)} | {_linked(source)} |" for name, hint, source in rows)
    return ["| Refused | Instead | Source |", "| --- | --- | --- |", *cells, ""]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _linked(source: str) -> str:
    """The pages of the guide as links; all else as it is."""
    return _PAGE.sub(lambda found: f"[{found[0]}]({_GUIDE}/{found[0]}.html)", source)
