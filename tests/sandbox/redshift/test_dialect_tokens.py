"""SQL text is read as PostgreSQL reads it, and what is not recognised stays byte for byte."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.redshift.dialect import commands, ddl, queries
from sandbox.redshift.dialect.draft import Draft, Span
from sandbox.redshift.dialect.statement import Refusal
from sandbox.redshift.dialect.translation import Context, Dialect
from sandbox.redshift.sql.tokens import UnreadableError, split_statements, tokenize, words

PIECES = st.sampled_from(
    [
        *(
            "SELECT",
            "nvl",
            "a",
            "#t",
            '"Q"',
            "(",
            ")",
            ",",
            ";",
            ".",
            "::",
            "'it''s'",
            r"'\''",
            "E'\\\\'",
            "$1",
        ),
        *(
            "-- c ; '\n",
            "/* ; /* ' */ */",
            "$$ ; ' $$",
            "$x$ $$ $x$",
            "1.5e3",
            " ",
            "\n",
            "'",
            '"',
            "$",
            "\\",
            "ü",
        ),
    ]
)


STATEMENTS = [
    "CREATE TABLE IF NOT EXISTS s.t (a BIGINT IDENTITY(0, 1) NOT NULL ENCODE raw PRIMARY KEY, b VARCHAR(MAX)"
    " DEFAULT nvl(NULL, 'x') REFERENCES u (c), CONSTRAINT k FOREIGN KEY (a, b) REFERENCES v) BACKUP NO"
    " DISTSTYLE KEY DISTKEY (a) COMPOUND SORTKEY (a, b)",
    "CREATE TEMP TABLE #x DISTKEY (a) AS SELECT TOP 5 a FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY a) = 1",
    "SELECT DISTINCT p.*, NVL2(a, b, c) AS d, EXTRACT(week FROM ts) FROM t p JOIN u ON p.x = u.x WHERE a = 1"
    " QUALIFY RANK() OVER (PARTITION BY d ORDER BY e) <= 2 ORDER BY 1 LIMIT 3",
    "SELECT LISTAGG(DISTINCT a, ',') WITHIN GROUP (ORDER BY a), RATIO_TO_REPORT(b) OVER () FROM t",
    "MERGE INTO t USING (SELECT * FROM s) x ON t.a = x.a WHEN MATCHED THEN UPDATE SET b = x.b"
    " WHEN NOT MATCHED THEN INSERT (a, b) VALUES (x.a, x.b)",
    "ALTER TABLE s.t ALTER COLUMN a TYPE VARCHAR(9)",
    "ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY (a)",
    "ALTER TABLE t ALTER COMPOUND SORTKEY (a, b)",
    "VACUUM SORT ONLY s.t TO 99 PERCENT BOOST",
    "START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE",
    "SELECT DATEADD(day, 1, DATEDIFF(hr, a, b)), DECODE(a, 1, 2, 3), CONVERT(DECIMAL(3,1), b) FROM t",
    "INSERT INTO #t (a) SELECT x.a::NUMERIC FROM (SELECT 1 AS a MINUS SELECT 2) AS x",
]


def readable(text, **how):
    try:
        return tokenize(text, **how)
    except UnreadableError:
        return []


@given(st.lists(PIECES).map("".join), st.booleans())
def test_tokens_stand_where_they_say(text, backslash_escapes):
    tokens = readable(text, backslash_escapes=backslash_escapes)
    assert all(text[token.start : token.end] == token.text for token in tokens)
    assert all(before.end <= token.start for before, token in pairwise(tokens))


@given(st.lists(PIECES).map("".join))
def test_a_draft_without_changes_is_the_text(text):
    tokens = readable(text)
    if tokens:
        assert Draft(text, tokens).render() == text[tokens[0].start : tokens[-1].end]


WORDS = sorted(
    queries.WORDS
    | frozenset(commands.RULES)
    | frozenset(ddl.RULES)
    | words(
        "select from where join on as t a by order group qualify table view column type varchar int numeric"
        " temp if not exists primary key foreign references identity generated default encode distkey sortkey"
        " diststyle compound auto like including when matched then using remove duplicates with within cast"
        " isolation level union insert update set end case limit having 1 2.5 'x' ( ) , . :: = * ; #t"
    )
)


@settings(max_examples=2000)
@given(st.lists(st.sampled_from(WORDS), max_size=25), st.booleans())
def test_any_sequence_of_words_is_translated_or_refused(sequence, in_transaction):
    try:
        statements = Dialect().translate(" ".join(sequence), Context(in_transaction=in_transaction))
    except Refusal:
        return
    assert statements


@settings(max_examples=2000)
@given(st.sampled_from(STATEMENTS), st.data())
def test_any_cut_or_shuffled_statement_is_translated_or_refused(sql, data):
    words = sql.replace("(", " ( ").replace(")", " ) ").replace(",", " , ").split()
    place = data.draw(st.integers(0, len(words)))
    changed = data.draw(st.sampled_from([words[:place], words[place:], words[:place] + words[place + 1 :]]))
    try:
        assert Dialect().translate(" ".join(changed), Context())
    except Refusal:
        return


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("a; b;; c ;", ["a", "b", "c"]),
        ("SELECT ';' ; SELECT \";\"", ["SELECT ';'", 'SELECT ";"']),
        ("SELECT 1 -- ; no\n; SELECT 2 /* ; /* ; */ ; */", ["SELECT 1", "SELECT 2"]),
        ("SELECT $$ ; $$; SELECT $a$ ; $$ ; $a$", ["SELECT $$ ; $$", "SELECT $a$ ; $$ ; $a$"]),
        (r"SELECT 'it\'s;'; SELECT 2", [r"SELECT 'it\'s;'", "SELECT 2"]),
        ("SELECT ''';'''; SELECT 2", ["SELECT ''';'''", "SELECT 2"]),
        ("-- nothing", []),
    ],
)
def test_statements_are_split_where_they_end(text, statements):
    parts = split_statements(tokenize(text))
    assert [text[part[0].start : part[-1].end] for part in parts] == statements


def test_a_backslash_is_an_escape_only_where_the_session_says_so():
    text = r"SELECT 'a\'; SELECT 'b' --'"
    assert len(list(split_statements(tokenize(text, backslash_escapes=False)))) == 2
    assert len(list(split_statements(tokenize(text, backslash_escapes=True)))) == 1


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("SELECT * FROM #t", ["#t"]),
        ("SELECT #t.a, a = #t.b FROM x JOIN #t ON (#t.a = 1)", ["#t"] * 4),
        ("SELECT 5 #a", []),
        ("SELECT a #b, (1) #c, x.y #d", []),
        ("DROP TABLE IF EXISTS #t", ["#t"]),
    ],
)
def test_hash_begins_a_name_only_where_a_name_can_stand(text, names):
    assert [token.word for token in tokenize(text) if token.word.startswith("#")] == names


def test_edits_leave_comments_and_white_space_alone():
    text = "SELECT  nvl(a,  b) -- NVL\n FROM /* x */ t"
    draft = Draft(text, tokenize(text))
    draft.replace(1, "coalesce")
    draft.rewrite(Span(3, 5), "x")
    assert draft.render() == "SELECT  coalesce(x) -- NVL\n FROM /* x */ t"


def test_a_number_ends_where_a_word_of_case_begins():
    [statement] = Dialect().translate("SELECT CASE n WHEN 1THEN 4WHEN 2THEN .5ELSE 1e3END FROM t", Context())
    assert statement.sql == "SELECT CASE n WHEN 1 THEN 4 WHEN 2 THEN .5 ELSE 1e3 END FROM t"
    for text in ("SELECT 4whenever", "SELECT 4x", "SELECT $1when", "SELECT 4end_"):
        with pytest.raises(UnreadableError):
            tokenize(text)
