"""What a rule of the tables of refusals is."""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.dialect.statement import Refusal

_SYNTAX = 'syntax error at or near "{text}"'


@dataclass(frozen=True)
class Rule:
    """One thing that Redshift refuses.

    Args:
        name: What docs/sandbox.md calls it.
        words: It is looked for at each of these words, or signs.
        found: The token that is wrong, None without one; given the statement and where the word stands.
        source: The page of Amazon's guide that says so, or where the error has been seen.
        message: Redshift's; `{text}` is the wrong token, `{word}` the same in lower case.
        sqlstate: Redshift's; a syntax error's where nothing else is known.
        hint: What to write instead.
        once: It looks at the whole statement, once, if the statement has one of the words.
        with_table: It holds only for statements with a table of a user.
    """

    name: str
    words: frozenset[str]
    found: Callable[[Draft, int], int | None]
    source: str
    hint: str
    message: str = _SYNTAX
    sqlstate: str = "42601"
    once: bool = False
    with_table: bool = False

    def check(self, draft: Draft, index: int) -> None:
        """Refuse what stands at `index`, if the rule says so.

        Raises:
            Refusal: It does.
        """
        at = self.found(draft, index)
        if at is not None:
            raise Refusal(
                self.message.format(text=draft.text(at), word=draft.word(at)), self.sqlstate, hint=self.hint
            )
