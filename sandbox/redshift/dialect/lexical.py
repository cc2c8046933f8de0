"""The settings that say what tokens a text has: the same in every session, and none can change them.

If one could change between a client's messages, the relay would read a text in one way and PostgreSQL in
another, and what the relay takes for a literal could be a statement.
"""

from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.dialect.statement import Refusal

# Each session's StartupMessage ends with these: they go before what `options`, a user or a database has set,
# and RESET returns to them.
PINNED = {
    "client_encoding": "UTF8",  # in Shift-JIS, Big5 and GBK a character's second byte can be a backslash
    "standard_conforming_strings": "off",  # a backslash escapes in Redshift's ordinary literals
    "backslash_quote": "safe_encoding",  # \' is a quote wherever no character can hold the backslash
}
# PostgreSQL ignores all but letters and digits in an encoding's name. psql in locale C asks for SQL_ASCII:
# nothing is converted, and it gets UTF8.
_UTF8 = frozenset(("utf8", "unicode", "sqlascii", "default"))


def is_utf8(encoding: str) -> bool:
    """Whether the name of an encoding means the one that Redshift has."""
    return "".join(filter(str.isalnum, encoding)).lower() in _UTF8


def check_setting(draft: Draft, index: int) -> None:
    """Refuse a change of a setting that would change what tokens are.

    Args:
        draft: A SET or an ALTER … SET.
        index: Where the setting's name stands.

    Raises:
        Refusal: It would.
    """
    name = draft.tokens[index].name if index < len(draft) else ""
    if name in {"names", "client_encoding"}:
        value = index + (1 if name == "names" else 2)
        if value < len(draft) and not is_utf8(draft.text(value).strip("'\"")):
            raise Refusal(
                f'invalid value for parameter "client_encoding": {draft.text(value)}',
                "22023",
                hint="Redshift's encoding is UTF8.",
            )
    else:
        check_shown(draft, index)


def check_shown(draft: Draft, index: int) -> None:
    """Refuse a setting that Redshift does not have: of the pinned ones it knows client_encoding alone.

    Its guide's "Configuration reference" lists none of the others; SHOW standard_conforming_strings fails in
    github.com/sqlalchemy/sqlalchemy/issues/9442.

    Raises:
        Refusal: It is one (42704).
    """
    name = draft.tokens[index].name if index < len(draft) else ""
    if name in PINNED and name != "client_encoding":
        raise Refusal(f'unrecognized configuration parameter "{name}"', "42704")


def separate_numbers(draft: Draft) -> None:
    """Put a blank between a number and the word behind it: PostgreSQL 16 would not read ``4WHEN``."""
    for index, token in enumerate(draft.tokens[1:], 1):
        if token.kind == "word" and not token.spaced and draft.tokens[index - 1].kind == "number":
            draft.before(index, " ")
