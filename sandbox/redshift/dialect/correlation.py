"""Correlated subqueries that Redshift cannot decorrelate: which names a subquery takes from outside.

What a name belongs to is known without the catalog only where it stands behind its table's: a subquery that
takes a bare column from outside is not recognised.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.sql.tokens import words

# Before the parenthesis of a subquery that is an operand, and no table in FROM.
_OPERAND_WORDS = words("exists in any all some")
_OPERATORS = frozenset(("=", "<", ">", "<=", ">=", "<>", "!="))
# Before the parenthesis of a query that is no operand wherever it stands.
_BEFORE_QUERY = words("as materialized union intersect except minus all from join using into")
_BEHIND_FROM = words("where group having order limit offset union intersect except minus qualify window")
# Redshift decorrelates MIN and MAX.
_AGGREGATES = words("avg count sum stddev stddev_pop stddev_samp variance var_pop var_samp listagg")
_OUTER_JOINS = words("left right full outer")
_NO_ALIASES = _OUTER_JOINS | _BEHIND_FROM | words("as cross from inner join lateral natural on only using")
WORDS = words("select")


@dataclass
class Block:
    """One SELECT, or the whole statement.

    Args:
        outer: The block it is an operand of; None for a statement, a table in FROM or in WITH.
        is_in: It is what IN compares with.
        in_outer_join: It stands in the ON of an outer join.
        in_group: It stands in GROUP BY.
        item: The number and the alias of the item of the outer select list that it stands in.
        clause: The clause that is being read: ``select``, ``from``, ``group`` or ``where`` and all others.
        relations: Whatever its FROM names at its own level: tables, aliases, and columns of conditions.
        calls: Functions of its select list.
        taken: Names before a dot, but in its list of tables, and where.
        has_group: It has GROUP BY.
        grouped: The names and numbers that GROUP BY lists.
        items: How many items of its select list have been read; 0 before it.
        joins_outer: The last join is an outer one.
        in_on: It is in the condition of a join.
    """

    outer: "Block | None" = None
    is_in: bool = False
    in_outer_join: bool = False
    in_group: bool = False
    item: tuple[str, str] | None = None
    clause: str = "select"
    relations: Counter[str] = field(default_factory=Counter)
    calls: set[str] = field(default_factory=set)
    taken: dict[str, int] = field(default_factory=dict)
    has_group: bool = False
    grouped: set[str] = field(default_factory=set)
    items: int = 0
    joins_outer: bool = False
    in_on: bool = False

    def takes(self, outer: "Block") -> int | None:
        """Where it names a relation of `outer` that neither it nor a block between them has."""
        between = self.outer.relations if self.outer and self.outer is not outer else ()
        found = (
            at
            for name, at in self.taken.items()
            if name in outer.relations and name not in self.relations and name not in between
        )
        return min(found, default=None)

    def hide(self, name: str) -> None:
        """Take a table's name out that an alias hides."""
        self.relations[name] -= 1
        if self.relations[name] <= 0:
            del self.relations[name]

    def is_excluded(self, outer: "Block") -> bool:
        """Whether the guide excludes that it takes names from the block it stands in."""
        grouped = self.is_in and self.has_group and bool(self.calls & _AGGREGATES)
        by_result = self.in_group or (self.item is not None and bool(outer.grouped.intersection(self.item)))
        return grouped or "over" in self.calls or self.in_outer_join or by_result


def undecorrelated(draft: Draft, _index: int = 0) -> int | None:
    """A name that a subquery takes from outside in a way that Redshift's guide excludes; None without one."""
    for block in _blocks(draft):
        outer = block.outer
        if outer is None:
            continue
        if outer.outer is not None and (at := block.takes(outer.outer)) is not None:
            return at  # it skips a block
        if block.is_excluded(outer) and (at := block.takes(outer)) is not None:
            return at
    return None


def _blocks(draft: Draft) -> Sequence[Block]:
    at_parenthesis = {-1: Block()}
    blocks = [at_parenthesis[-1]]
    for index in range(len(draft)):
        opening = draft.enclosing(index)
        block = at_parenthesis[opening]
        if draft.is_operator(index, "("):
            at_parenthesis[index] = _inner(draft, index, block)
            if at_parenthesis[index] is not block:
                blocks.append(at_parenthesis[index])
        else:
            _read(draft, index, block, own_level=_begins(draft, opening))
    return blocks


def _begins(draft: Draft, opening: int) -> bool:
    return opening < 0 or draft.word(opening + 1) in ("select", "with")


def _inner(draft: Draft, opening: int, block: Block) -> Block:
    """The block of what stands inside a parenthesis: a new one only for a query."""
    if not _begins(draft, opening):
        return block
    if not _is_operand(draft, opening, block):
        return Block()
    return Block(
        block,
        is_in=draft.word(opening - 1) == "in",
        in_outer_join=block.in_on and block.joins_outer,
        in_group=block.clause == "group",
        item=(str(block.items), _alias(draft, opening)) if block.clause == "select" else None,
    )


def _is_operand(draft: Draft, opening: int, block: Block) -> bool:
    before = draft.word(opening - 1)
    is_operator = opening > 0 and draft.tokens[opening - 1].kind == "operator"
    if before in _OPERAND_WORDS or (is_operator and draft.text(opening - 1) in _OPERATORS):
        return before != "all" or draft.text(opening - 2) in _OPERATORS
    in_query = block.items > 0 and (block.clause != "from" or block.in_on)
    return in_query and before not in _BEFORE_QUERY


def _alias(draft: Draft, opening: int) -> str:
    """What the item of a select list is called in which a parenthesis opens."""
    while not _begins(draft, draft.enclosing(opening)):
        opening = draft.enclosing(opening)
    last = draft.closing(opening)
    for at in draft.same_level(last + 1, len(draft) - 1):
        if draft.is_operator(at, ",") or draft.is_operator(at, ")") or draft.word(at) == "from":
            break
        last = at
    labelled = draft.word(last - 1) == "as" or draft.is_operator(last - 1, ")")
    return draft.tokens[last].name if labelled else ""


def _read(draft: Draft, index: int, block: Block, *, own_level: bool) -> None:
    if own_level:
        _turn(draft, index, block)
    if block.clause == "select" and draft.is_operator(index + 1, "("):
        block.calls.add(draft.word(index))
    elif block.clause == "from" and own_level and not draft.is_operator(index + 1, "."):
        block.relations[draft.tokens[index].name] += 1
        if not block.in_on and draft.tokens[index].is_name and draft.word(index) not in _NO_ALIASES:
            # An alias hides the table's name.
            block.hide(draft.tokens[index - 1 - (draft.word(index - 1) == "as")].name)
    elif block.clause == "group" and own_level and (key := _group_key(draft, index)):
        block.grouped.add(key)
    if (block.clause != "from" or block.in_on) and _is_qualifier(draft, index):
        block.taken.setdefault(draft.tokens[index].name, index)


def _group_key(draft: Draft, index: int) -> str:
    """A bare name in GROUP BY, or the number of an item."""
    if draft.is_operator(index - 1, ".") or draft.is_operator(index + 1, "."):
        return ""
    starts = draft.word(index - 1) == "by" or draft.is_operator(index - 1, ",")
    token = draft.tokens[index]
    return token.text if starts and token.kind == "number" else token.name


def _turn(draft: Draft, index: int, block: Block) -> None:
    """Take note of where a clause begins, and a join's condition."""
    word = draft.word(index)
    if word == "select":
        block.clause, block.items, block.in_on = "select", 1, False
    elif word in ("from", "update"):
        block.clause, block.in_on = "from", False
    elif word == "group" and draft.word(index + 1) == "by":
        block.clause, block.has_group, block.in_on = "group", True, False
    elif block.clause in ("from", "group") and word in _BEHIND_FROM:
        block.clause, block.in_on = "where", False
    elif block.clause == "from" and word == "set":
        block.clause, block.items = "where", 1
    elif block.clause == "select" and draft.is_operator(index, ","):
        block.items += 1
    elif word == "join":
        block.joins_outer, block.in_on = draft.word(index - 1) in _OUTER_JOINS, False
    elif word == "on" or draft.is_operator(index, ","):
        block.in_on = word == "on"


def _is_qualifier(draft: Draft, index: int) -> bool:
    """Whether it is the ``t`` of ``t.a``, and no schema."""
    return (
        draft.tokens[index].is_name
        and draft.is_operator(index + 1, ".")
        and not draft.is_operator(index - 1, ".")
        and not draft.is_operator(index + 3, ".")
        and not draft.is_operator(index + 3, "(")
    )
