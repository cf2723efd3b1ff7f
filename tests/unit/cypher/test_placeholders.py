"""Values in the place of ``${name}``."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmigrate.cypher.lexer import TokenKind, is_significant, tokens, unescaped, unquoted
from graphmigrate.cypher.placeholders import fill

VALUES = {"t": "acme", "n": "-2.5", "d": "5", "odd": "a'b`c\\u0027\n\"", "empty": "", "unset": None}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("MATCH (n:${t})", "MATCH (n:acme)"),
        ("MATCH (n:${nm:t})", "MATCH (n:acme)"),
        ("MATCH (n:T_${t}_${d}x)", "MATCH (n:T_acme_5x)"),
        ("RETURN ${n}, ${d}", "RETURN -2.5, 5"),
        ("RETURN '${t}', \"x${empty}y\"", "RETURN 'acme', \"xy\""),
        ("RETURN 'a\\\\${t}'", "RETURN 'a\\\\acme'"),
        ("MATCH (n:`My ${t}`)", "MATCH (n:`My acme`)"),
        ("// ${t} ${unset}\n/* ${t} */ RETURN 1", "// ${t} ${unset}\n/* ${t} */ RETURN 1"),
        ("RETURN $t, {t: 1}", "RETURN $t, {t: 1}"),
    ],
)
def test_the_token_decides(source: str, text: str) -> None:
    filled = fill(source, "f", VALUES)
    assert (filled.text, filled.problems) == (text, ())
    assert fill(source, "f", {}).text == source


@pytest.mark.parametrize(
    ("source", "code", "column"),
    [
        ("RETURN ${odd}", "GM108", 8),
        ("RETURN ${empty}", "GM108", 8),
        ("MATCH (n:T${n})", "GM108", 11),
        ("MATCH (n:${d}T)", "GM108", 10),
        ("MATCH (n:`${odd}`)", "GM108", 11),
        ("MATCH (n:`${empty}`)", "GM108", 11),
        ("RETURN '\\${t}'", "GM108", 10),
        ("RETURN '\\u00${d}'", "GM108", 13),
        ("RETURN '${unset}'", "GM129", 9),
        ("RETURN '${tt}'", "GM129", 9),
    ],
)
def test_what_cannot_stand_there_is_named_at_its_column(source: str, code: str, column: int) -> None:
    (problem,) = fill(source, "f", VALUES).problems
    assert problem.place is not None
    assert (problem.code, problem.place.column, problem.place.source) == (code, column, source)
    assert problem.hint


@given(st.text(st.sampled_from("ab'\"`\\u0027\n$;{}/* é")))
def test_no_value_leaves_its_token(value: str) -> None:
    for quote in "'\"`":
        filled = fill(f"RETURN {quote}x${{v}}y{quote};", "f", {"v": value})
        found = [each for each in tokens(filled.text) if is_significant(each)]
        if filled.problems:
            assert quote == "`"
            continue
        assert [each.kind for each in found][1:] == [
            TokenKind.NAME if quote == "`" else TokenKind.STRING,
            TokenKind.SEPARATOR,
        ]
        held = unquoted(found[1]) if quote == "`" else unescaped(found[1].text[1:-1])
        assert held == f"x{value}y"
    bare = fill("RETURN ${v};", "f", {"v": value})
    assert bare.problems or len([each for each in tokens(bare.text) if is_significant(each)]) in {3, 4}


def test_every_offset_finds_its_way_back() -> None:
    source = "RETURN '${t}' AS a, ${d} AS b"
    filled = fill(source, "f", {"t": "a much longer value", "d": "5"})
    assert source[filled.source_offset(filled.text.index("AS a")) :].startswith("AS a")
    assert source[filled.source_offset(filled.text.index("longer")) :].startswith("${t}")
    assert source[filled.source_offset(filled.text.index("5")) :].startswith("${d}")
    assert source[filled.source_offset(filled.text.index("AS b")) :] == "AS b"
