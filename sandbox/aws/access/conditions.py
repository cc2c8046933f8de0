"""Conditions of policy statements.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

import functools
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

Context = Mapping[str, Sequence[str]]

_VARIABLE = re.compile(r"\$\{([^}]+)\}")
# What stands for ${*} and ${?} until patterns are compared; no policy may have such characters.
_STAR, _MARK = "\ue000", "\ue001"
_LITERAL = {"*": _STAR, "?": _MARK, "$": "$"}


def holds(condition: Mapping[str, Mapping[str, object]], context: Context) -> bool:
    """Whether every operator's every key holds; of a key's values one has to match.

    Args:
        condition: The element ``Condition`` of a statement.
        context: What is known of the request, values by key; keys are compared without case.

    Raises:
        KeyError: An operator is not known here.
    """
    known = {key.lower(): values for key, values in context.items()}
    return all(
        _key_holds(operator, known.get(key.lower()), [resolve(str(_text(v)), known) for v in _list(wanted)])
        for operator, keys in condition.items()
        for key, wanted in keys.items()
    )


def resolve(text: str, context: Context) -> str:
    """A pattern with its policy variables filled in; what is not known stands for nothing that matches.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """

    def value(match: re.Match[str]) -> str:
        name, _, default = match[1].partition(",")
        if name in _LITERAL:
            return _LITERAL[name]
        found = context.get(name.strip().lower())
        return found[0] if found else default.strip().strip("'")

    return _VARIABLE.sub(value, text) if "${" in text else text


def matches(pattern: str, text: str) -> bool:
    """Whether ``*`` (any characters) and ``?`` (one) make the pattern the text."""
    return _compiled(pattern).fullmatch(text) is not None


def _key_holds(operator: str, found: Sequence[str] | None, wanted: list[str]) -> bool:
    """One key of one operator."""
    set_operator, _, name = operator.rpartition(":")
    if name == "Null":
        return (not found) == (wanted[0].lower() == "true")
    optional = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    negated, compare = _OPERATORS[name]
    if not found:
        return optional or negated or set_operator == "ForAllValues"

    def one(value: str) -> bool:
        return any(_is(compare, value, pattern) for pattern in wanted) != negated

    return all(map(one, found)) if set_operator == "ForAllValues" else any(map(one, found))


def _is(compare: Callable[[str, str], bool], value: str, wanted: str) -> bool:
    """What cannot be compared, such as a word with a number, is not equal."""
    try:
        return compare(value, wanted)
    except (OverflowError, ValueError):
        return False


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    """The pattern for `re`, whose groups give nothing back: a hundred stars take no longer than one."""
    first, *rest = (_between_stars(part) for part in pattern.split("*"))
    if not rest:
        return re.compile(first, re.DOTALL)
    middle = "".join(f"(?>.*?{part})" for part in rest[:-1])
    return re.compile(f"{first}{middle}.*{rest[-1]}", re.DOTALL)


def _between_stars(text: str) -> str:
    known = {"?": ".", _STAR: r"\*", _MARK: r"\?"}
    return "".join(known.get(character) or re.escape(character) for character in text)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _text(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def _moment(text: str) -> datetime:
    if re.fullmatch(r"\d+", text):
        return datetime.fromtimestamp(int(text), UTC)
    return datetime.fromisoformat(text)


def _ordered(kind: Callable[[str], object], *signs: int) -> Callable[[str, str], bool]:
    def compare(value: str, wanted: str) -> bool:
        left, right = kind(value), kind(wanted)
        return ((left > right) - (left < right)) in signs  # type: ignore[operator] # numbers or moments

    return compare


def _arn_matches(value: str, pattern: str) -> bool:
    """Each of an ARN's six parts by itself."""
    values, patterns = value.split(":", 5), pattern.split(":", 5)
    return len(values) == len(patterns) == 6 and all(map(matches, patterns, values))


def _equals(value: str, wanted: str) -> bool:
    return value == wanted.replace(_STAR, "*").replace(_MARK, "?")


def _in_network(value: str, network: str) -> bool:
    return ipaddress.ip_address(value) in ipaddress.ip_network(network, strict=False)


# Name of the operator: whether it is a negation, and what compares a value with a wanted one.
_OPERATORS: dict[str, tuple[bool, Callable[[str, str], bool]]] = {
    "StringEquals": (False, _equals),
    "StringNotEquals": (True, _equals),
    "StringEqualsIgnoreCase": (False, lambda value, wanted: value.lower() == wanted.lower()),
    "StringNotEqualsIgnoreCase": (True, lambda value, wanted: value.lower() == wanted.lower()),
    "StringLike": (False, lambda value, wanted: matches(wanted, value)),
    "StringNotLike": (True, lambda value, wanted: matches(wanted, value)),
    "ArnEquals": (False, _arn_matches),
    "ArnLike": (False, _arn_matches),
    "ArnNotEquals": (True, _arn_matches),
    "ArnNotLike": (True, _arn_matches),
    "Bool": (False, lambda value, wanted: value.lower() == wanted.lower()),
    "BinaryEquals": (False, str.__eq__),
    "IpAddress": (False, _in_network),
    "NotIpAddress": (True, _in_network),
    "NumericEquals": (False, _ordered(float, 0)),
    "NumericNotEquals": (True, _ordered(float, 0)),
    "NumericLessThan": (False, _ordered(float, -1)),
    "NumericLessThanEquals": (False, _ordered(float, -1, 0)),
    "NumericGreaterThan": (False, _ordered(float, 1)),
    "NumericGreaterThanEquals": (False, _ordered(float, 0, 1)),
    "DateEquals": (False, _ordered(_moment, 0)),
    "DateNotEquals": (True, _ordered(_moment, 0)),
    "DateLessThan": (False, _ordered(_moment, -1)),
    "DateLessThanEquals": (False, _ordered(_moment, -1, 0)),
    "DateGreaterThan": (False, _ordered(_moment, 1)),
    "DateGreaterThanEquals": (False, _ordered(_moment, 0, 1)),
}
