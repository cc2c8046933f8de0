"""What the query of an UNLOAD may be, by the guide's page "UNLOAD"."""

from sandbox.redshift.dialect.statement import Refusal
from sandbox.redshift.sql.tokens import UnreadableError, split_statements, tokenize


def check(query: str, *, backslash_escapes: bool) -> None:
    """Make sure that a text is one SELECT without LIMIT in its outermost part.

    Args:
        query: The text between UNLOAD's parentheses.
        backslash_escapes: Whether a backslash escapes in ordinary literals.

    Raises:
        Refusal: It is not.
    """
    try:
        statements = list(split_statements(tokenize(query, backslash_escapes=backslash_escapes)))
    except UnreadableError as error:
        raise Refusal(str(error), "42601") from error
    if len(statements) != 1:
        raise Refusal("UNLOAD takes one SELECT statement", "42601")
    [tokens] = statements
    if next((token.text for token in tokens if token.text != "("), "").lower() not in {"select", "with"}:
        raise Refusal(
            f'syntax error at or near "{tokens[0].text}"',
            "42601",
            hint="In UNLOAD: a SELECT query is expected.",
        )
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        # "The SELECT query can't use a LIMIT clause in the outer SELECT." The words are unconfirmed.
        if not depth and token.word in {"limit", "top"}:
            raise Refusal(
                "LIMIT clause is not supported in the outer SELECT of UNLOAD",
                hint="Nest it: select * from (select ... limit 10).",
            )
