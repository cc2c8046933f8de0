"""What Redshift has and the sandbox does not: each is refused by its name, never run as something else.

The table is of clauses, functions and types; commands stand in `absent_commands`.
"""

from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.dialect.expressions import is_call
from sandbox.redshift.dialect.recognition import cast_type
from sandbox.redshift.dialect.refusal_rule import Rule
from sandbox.redshift.sql.tokens import words

_FAMILIES = ("st_", "h3_", "hll_")
# Looked up by the prefix of a function's name.
FAMILY = "st_"
# Texts of interest that have no word of the table.
SIGNS = r"(?i:\b(?:st|h3|hll)_)|\(\s*\+\s*\)"

_SUPER = "Load JSON as VARCHAR, and take it apart with JSON_EXTRACT_PATH_TEXT."
_GEOMETRY = "There are no spatial types."


def _called(draft: Draft, index: int) -> int | None:
    """A function that is called; not a list of columns behind a name."""
    after = draft.closing(index + 1) + 1
    is_label = draft.word(index - 1) == "as" or (
        draft.word(after) == "as" and draft.is_operator(after + 1, "(")
    )
    return index if is_call(draft, index) and not is_label else None


def _pivot(draft: Draft, index: int) -> int | None:
    """``FROM t PIVOT (…)``, ``UNPIVOT INCLUDE NULLS (…)``, ``UNPIVOT expression AS value AT key``."""
    behind = index + 1 + 2 * (draft.word(index + 1) in ("include", "exclude"))
    of_relation = draft.is_operator(behind, "(") and not draft.is_operator(index - 1, ".")
    of_object = draft.word(index) == "unpivot" and draft.word(index - 1) in ("from", "join")
    of_object = of_object or (draft.word(index) == "unpivot" and draft.is_operator(index - 1, ","))
    called = draft.word(index - 1) in ("select", "where", "and", "or", "by", "on") or index == 0
    return index if (of_relation and not called) or of_object else None


def _outer_mark(draft: Draft, index: int) -> int | None:
    """``WHERE a.k = b.k (+)``."""
    return index if draft.is_operator(index - 1, "(") and draft.is_operator(index + 1, ")") else None


def _connect_by(draft: Draft, index: int) -> int | None:
    """``START WITH … CONNECT BY``."""
    return index if draft.word(index + 1) == "by" else None


def _star_exclude(draft: Draft, index: int) -> int | None:
    """``SELECT * EXCLUDE a``; not a product with a column of that name."""
    before = index - 2
    begins = draft.word(before) in ("select", "all", "distinct") or draft.text(before) in (",", ".")
    return index if draft.is_operator(index - 1, "*") and begins else None


def _rule(name: str, of: str, source: str, hint: str) -> Rule:
    message = 'Function "{word}()" is not in the sandbox'
    return Rule(name, words(of), _called, source, hint, message, "0A000")


def _clause(name: str, rule: Rule) -> Rule:
    return Rule(
        name,
        rule.words,
        rule.found,
        rule.source,
        rule.hint,
        f"{name.replace('`', '')} is not in the sandbox",
        "0A000",
    )


def _bare(draft: Draft, index: int) -> int | None:
    """``CURRENT_NAMESPACE``, which is called without parentheses."""
    named = draft.is_operator(index - 1, ".") or draft.word(index - 1) == "as"
    return None if named or draft.is_operator(index + 1, ".") else index


_CLAUSES = (
    Rule(
        "`CURRENT_AWS_ACCOUNT`",
        words("current_aws_account"),
        _bare,
        "r_CURRENT_AWS_ACCOUNT",
        "boto3's sts.get_caller_identity() knows it.",
    ),
    Rule(
        "`CURRENT_NAMESPACE`",
        words("current_namespace"),
        _bare,
        "r_CURRENT_NAMESPACE",
        "describe-clusters and get-namespace know it.",
    ),
    Rule(
        "`PIVOT`",
        words("pivot"),
        _pivot,
        "r_FROM_clause-pivot-unpivot-examples",
        "Aggregate CASE WHEN … END.",
    ),
    Rule(
        "`UNPIVOT`",
        words("unpivot"),
        _pivot,
        "r_FROM_clause-pivot-unpivot-examples",
        "Write UNION ALL, a query for each column.",
    ),
    Rule(
        "the outer join operator `(+)`",
        frozenset(("+",)),
        _outer_mark,
        "r_WHERE_oracle_outer",
        "Write LEFT JOIN or RIGHT JOIN.",
    ),
    Rule(
        "`START WITH … CONNECT BY`",
        words("connect"),
        _connect_by,
        "r_CONNECT_BY_clause",
        "Write WITH RECURSIVE.",
    ),
    Rule("`SELECT * EXCLUDE`", words("exclude"), _star_exclude, "r_EXCLUDE_list", "Name the columns."),
    Rule(
        "a cast to `SUPER`, `VARBYTE`, `HLLSKETCH`, `GEOMETRY` or `GEOGRAPHY`",
        words("geography geometry hllsketch super varbinary varbyte"),
        cast_type,
        "r_SUPER_type, r_VARBYTE_type, r_HLLSKTECH_type, geospatial-overview",
        "The sandbox's types are numbers, text, BOOLEAN, dates and times.",
    ),
)
TABLE = (
    *(_clause(rule.name, rule) for rule in _CLAUSES),
    _rule(
        "functions on `SUPER`",
        "array array_concat array_contains array_distinct array_except array_flatten"
        " array_intersection array_position array_positions array_sort array_union can_json_parse"
        " decimal_precision decimal_scale get_array_length is_array is_bigint is_boolean is_char"
        " is_decimal is_float is_integer is_object is_scalar is_smallint is_varchar json_parse"
        " json_serialize json_serialize_to_varbyte json_size json_typeof lower_attribute_names"
        " object object_transform size split_to_array subarray text_to_int_alt"
        " text_to_numeric_alt upper_attribute_names",
        "c_Array_Functions, c_Type_Info_Functions, json-functions, Object_Functions",
        _SUPER,
    ),
    _rule(
        "functions on `VARBYTE`",
        "from_hex from_varbyte getbit to_varbyte",
        "varbyte-functions",
        "TO_HEX and STRTOL turn numbers into hexadecimal text and back.",
    ),
    _rule(
        "`FARMFINGERPRINT64`, `MURMUR3_32_HASH`",
        "farmfingerprint64 murmur3_32_hash",
        "hash-functions",
        "Use FNV_HASH, MD5, SHA1 or SHA2.",
    ),
    _rule(
        "the function `COLLATE`",
        "collate",
        "r_COLLATE",
        "Compare LOWER of both; text is ordered by its bytes.",
    ),
    _rule(
        "`HLL`, and the functions beginning with `HLL_`",
        "hll",
        "hyperloglog-functions",
        "Use APPROXIMATE COUNT(DISTINCT …).",
    ),
    _rule(
        "spatial functions: those beginning with `ST_` or `H3_`, `ADDBBOX`, `DROPBBOX`, `GEOMETRYTYPE`,"
        " `SUPPORTSBBOX`",
        f"{FAMILY} addbbox dropbbox geometrytype supportsbbox",
        "geospatial-functions",
        _GEOMETRY,
    ),
    _rule("`EXPLAIN_MODEL`", "explain_model", "ml-function", "There are no models."),
    _rule(
        "functions about roles, priorities and the cluster",
        "change_query_priority change_session_priority change_user_priority default_iam_role get_mounted_role"
        " has_assumerole_privilege pg_get_grantee_by_iam_role pg_get_iam_role_by_user pg_get_session_roles"
        " reboot_cluster role_is_member_of slice_num user_is_member_of",
        "r_System_administration_functions, r_System_information_functions, r_SLICE_NUM",
        "HAS_TABLE_PRIVILEGE, HAS_SCHEMA_PRIVILEGE and SVV views tell of rights.",
    ),
)


def is_of_family(word: str) -> bool:
    """Whether a function's name begins as those of a kind do that are not here."""
    return word.startswith(_FAMILIES)
