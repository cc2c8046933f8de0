"""Identifiers: how Redshift folds them, how they are quoted, where they stand."""

from dataclasses import dataclass

from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.dialect.statement import Refusal
from sandbox.redshift.sql.tokens import fold_ascii

_IDENTITIES = ('"IAM:', '"IAMR:')


@dataclass(frozen=True)
class Name:
    """A possibly qualified name in a statement.

    Args:
        parts: Its identifiers, folded.
        last: Index of its last token.
    """

    parts: tuple[str, ...]
    last: int

    @property
    def sql(self) -> str:
        """The name quoted."""
        return ".".join(quote(part) for part in self.parts)

    @property
    def is_temporary(self) -> bool:
        """Whether its form says that it is a temporary table's."""
        return self.parts[-1].startswith("#")


def read_name(draft: Draft, index: int) -> Name:
    """The name that begins at `index`.

    Raises:
        Refusal: There is none (42601).
    """
    if index >= len(draft) or not draft.tokens[index].is_name:
        raise syntax_error(draft, index)
    parts = [draft.tokens[index].name]
    while draft.is_operator(index + 1, ".") and index + 2 < len(draft) and draft.tokens[index + 2].is_name:
        index += 2
        parts.append(draft.tokens[index].name)
    return Name(tuple(parts), index)


def fold_names(draft: Draft) -> None:
    """Fold quoted names to lower case, as Redshift does, and quote the names of #temporary tables.

    It keeps the case of quoted names where enable_case_sensitive_identifier is on (that page of the guide).

    Users of IAM identities keep theirs: AWS's guides grant to "IAMR:<role>", whatever the role's letters are
    (Amazon Bedrock guide, knowledge bases of structured data). UNCONFIRMED: how Redshift compares them.
    """
    for index, token in enumerate(draft.tokens):
        if token.kind == "quoted" and token.text.startswith('"') and draft.word(index - 1) != "collate":
            folded = fold_ascii(token.text)
            if folded != token.text and not token.keeps_case and not token.text.startswith(_IDENTITIES):
                draft.replace(index, folded)
        elif token.kind == "word" and token.text.startswith("#"):
            draft.replace(index, quote(token.word))


def quote(name: str) -> str:
    """The name as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def dollar_quote(text: str) -> str:
    """The text as a literal in which neither quotes nor backslashes mean anything.

    Raises:
        Refusal: The text holds the quoting mark itself.
    """
    if "$redshift$" in text:
        raise Refusal("a name contains $redshift$, which the sandbox uses itself", "42602")
    return f"$redshift${text}$redshift$"


def syntax_error(draft: Draft, index: int, hint: str | None = None) -> Refusal:
    """The error for a token that Redshift's grammar does not have at this place."""
    found = draft.text(index)
    text = f'syntax error at or near "{found}"' if found else "syntax error at end of input"
    return Refusal(text, "42601", hint=hint)
