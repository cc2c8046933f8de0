"""A statement being rewritten: its tokens, and what becomes of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sandbox.redshift.dialect.statement import Refusal
from sandbox.redshift.sql.tokens import Token, words

# What rewriting one statement may take: rules that meet in one another can repeat each other's work and text
# without end. Ten times what the largest statements of real use take.
_STEPS, _STEPS_PER_TOKEN = 500_000, 20
_CHARACTERS, _CHARACTERS_PER_CHARACTER = 4_000_000, 20
_LISTED = words("select with")


@dataclass(frozen=True)
class Span:
    """Tokens `first` to `last`, both included."""

    first: int
    last: int


class Draft:
    """One statement whose tokens can be replaced one by one; untouched text stays as it was written.

    Args:
        text: The text the tokens were read from.
        tokens: The statement's tokens.

    Attributes:
        changed: Something has been replaced.
        unpaired: The first token at which a parenthesis is known to lack its partner, behind the last token
            where one is never closed; None without such.
    """

    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self._gaps = [text[before.end : token.start] for before, token in pairwise(tokens)]
        self._gaps.insert(0, "")
        self._pieces = [token.text for token in tokens]
        self._words = [token.word for token in tokens]
        self._places: dict[str, list[int]] = {}
        for index, word in enumerate(self._words):
            if word in _LISTED:
                self._places.setdefault(word, []).append(index)
        self._closing: dict[int, int] = {}
        self._enclosing: list[int] = []
        self._depths: list[int] = []
        self.unpaired = self._pair()
        self._opening = {closing: opening for opening, closing in self._closing.items()}
        self.changed = False
        self._steps = _STEPS + _STEPS_PER_TOKEN * len(tokens)
        written = tokens[-1].end - tokens[0].start if tokens else 0
        self._characters = _CHARACTERS + _CHARACTERS_PER_CHARACTER * written

    def __len__(self) -> int:
        return len(self.tokens)

    # --- reading

    def word(self, index: int) -> str:
        """The keyword or unquoted name at `index` in lower case; empty for anything else."""
        return self._words[index] if 0 <= index < len(self._words) else ""

    def places(self, word: str) -> list[int]:
        """Where the word stands; only of those that are asked for often."""
        return self._places.get(word, [])

    def text(self, index: int) -> str:
        """The token's text as it was written; empty beyond the end."""
        return self.tokens[index].text if 0 <= index < len(self.tokens) else ""

    def is_operator(self, index: int, text: str) -> bool:
        """Whether the token is this operator or punctuation mark."""
        return (
            0 <= index < len(self.tokens)
            and self.tokens[index].text == text
            and self.tokens[index].kind == "operator"
        )

    def words_at(self, index: int, *words: str) -> bool:
        """Whether these words stand at `index`."""
        return all(self.word(index + offset) == word for offset, word in enumerate(words))

    def closing(self, opening: int) -> int:
        """The closing parenthesis of the one at `opening`; the last token when it is missing."""
        return self._closing.get(opening, len(self.tokens) - 1)

    def opening(self, closing: int) -> int:
        """The opening parenthesis of the one that closes here; 0 when it is missing."""
        return self._opening.get(closing, 0)

    def enclosing(self, index: int) -> int:
        """The opening parenthesis around the token, -1 without one."""
        return self._enclosing[index]

    def depth(self, index: int) -> int:
        """How many parentheses are open around the token."""
        return self._depths[index]

    def same_level(self, first: int, last: int) -> Iterator[int]:
        """Indexes from `first` to `last` without what stands inside parentheses between them.

        Raises:
            Refusal: The statement's rules have taken too many steps (54001).
        """
        index = first
        if self._steps < 0:
            raise too_complex()
        while index <= last:
            self._steps -= 1
            yield index
            index = self.closing(index) if self.is_operator(index, "(") else index
            index += 1

    def split(self, first: int, last: int) -> list[Span]:
        """The comma-separated items between two tokens (both included)."""
        items, start = [], first
        for index in self.same_level(first, last):
            if self.is_operator(index, ","):
                items.append(Span(start, index - 1))
                start = index + 1
        if start <= last:
            items.append(Span(start, last))
        return items

    def arguments(self, opening: int) -> list[Span]:
        """The comma-separated items inside the parentheses that open here."""
        return self.split(opening + 1, self.closing(opening) - 1)

    # --- writing

    def replace(self, index: int, text: str) -> None:
        """Put `text` in place of one token.

        Raises:
            Refusal: The statement's rules have written too much (54001).
        """
        self._characters -= len(text)
        if self._characters < 0:
            raise too_complex()
        self._pieces[index] = text
        self.changed = True

    def remove(self, first: int, last: int) -> None:
        """Take tokens away, with the white space before each but the first."""
        self.rewrite(Span(first, last), "")

    def rewrite(self, span: Span, text: str) -> None:
        """Put `text` in place of several tokens."""
        for index in range(span.first, span.last + 1):
            self._pieces[index] = ""
            if index > span.first:
                self._gaps[index] = ""
        self.replace(span.first, text)

    def rewrite_all(self, text: str) -> None:
        """Put `text` in place of the whole statement."""
        self.rewrite(Span(0, len(self.tokens) - 1), text)

    def before(self, index: int, text: str) -> None:
        """Put `text` in front of a token."""
        self.replace(index, text + self._pieces[index])

    def after(self, index: int, text: str) -> None:
        """Put `text` behind a token."""
        self.replace(index, self._pieces[index] + text)

    def render(self, span: Span | None = None) -> str:
        """The text as it stands now, of all tokens or of some."""
        first, last = (span.first, span.last) if span else (0, len(self.tokens) - 1)
        parts = [self._pieces[first]] if first <= last else []
        for index in range(first + 1, last + 1):
            parts += (self._gaps[index], self._pieces[index])
        return "".join(parts)

    def _pair(self) -> int | None:
        open_: list[int] = []
        unopened = None
        for index, token in enumerate(self.tokens):
            if token.text == ")":
                if open_:
                    self._closing[open_.pop()] = index
                elif unopened is None:
                    unopened = index
            self._enclosing.append(open_[-1] if open_ else -1)
            self._depths.append(len(open_))
            if token.text == "(":
                open_.append(index)
        return len(self.tokens) if open_ and unopened is None else unopened


def too_complex() -> Refusal:
    """The refusal of a statement whose rules would take or write too much."""
    return Refusal(
        "stack depth limit exceeded: what has to be rewritten is nested or repeated too often",
        "54001",
    )
