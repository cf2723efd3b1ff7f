from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmigrate.cypher.lexer import (
    TokenKind,
    decode,
    is_significant,
    parameters,
    quote,
    sections,
    tokens,
    unquoted,
)
from graphmigrate.errors import ProjectError

CYPHER_LIKE = st.lists(
    st.sampled_from(
        [
            *"'\"`\\/*;${}()\n\r\t a1.",
            "\\u0027",
            "\\u005c",
            "\\u003b",
            "\\ud83d\\ude00",
            "\\u12",
            "//",
            "/*",
            "*/",
            "😀",
        ]
    )
    | st.characters()
).map("".join)


def kinds(text: str) -> list[tuple[str, str]]:
    return [(token.kind.value, token.text) for token in tokens(text) if is_significant(token)]


@given(CYPHER_LIKE)
def test_the_pieces_join_to_the_text(source: str) -> None:
    for pieces in (list(tokens(source)), list(sections(decode(source)))):
        assert "".join(source[piece.start : piece.end] for piece in pieces) == source
        assert "".join(piece.text for piece in pieces) == decode(source).text
        assert all(before.end == after.start for before, after in itertools.pairwise(pieces))


@given(CYPHER_LIKE)
def test_sections_and_tokens_agree_on_what_is_quoted(source: str) -> None:
    quoted = {TokenKind.STRING, TokenKind.COMMENT, TokenKind.SEPARATOR, TokenKind.UNTERMINATED}
    cut = [piece for piece in sections(decode(source)) if piece.kind in quoted]
    # A parameter may hold a comment or a name: then tokens see one piece where sections see several.
    if not any(token.kind is TokenKind.PARAMETER for token in tokens(source)):
        assert cut == [token for token in tokens(source) if token.kind in quoted]


@pytest.mark.parametrize(
    ("source", "decoded"),
    [
        (r"\u0041", "A"),
        (r"\\u0041", r"\\u0041"),
        (r"\\\u0041", r"\\A"),
        (r"\u005cu0041", r"\u0041"),
        (r"\u005c\u0027", r"\'"),
        (r"\U0041 \q", r"\U0041 \q"),
        (r"\ud83d\ude00!", "😀!"),
        (r"\ud83d", "\ufffd"),
        (r"\ude00\ud83d", "\ufffd\ufffd"),
    ],
)
def test_escapes_are_decoded_as_the_server_decodes_them(source: str, decoded: str) -> None:
    assert decode(source).text == decoded


@pytest.mark.parametrize("source", [r"\u", r"\u12", r"\uu0041", r"\u00zz", "\\u\u0660\u0660\u0660\u0660"])
def test_an_escape_without_its_digits_is_reported(source: str) -> None:
    assert decode("ab" + source).invalid == (2,)


def test_offsets_lead_back_to_the_source() -> None:
    source = r"a\u0041b\ud83d\ude00c\\u0041d"
    decoded = decode(source)
    assert decoded.text == r"aAb😀c\\u0041d"
    starts = [source[decoded.source_offset(index)] for index in range(len(decoded.text))]
    assert starts == ["a", "\\", "b", "\\", "c", *r"\\u0041d"]
    assert decoded.source_offset(len(decoded.text)) == len(source)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"'it\'s' + ''", [("string", r"'it\'s'"), ("punctuation", "+"), ("string", "''")]),
        ("'a''b'", [("string", "'a'"), ("string", "'b'")]),
        ("`a``b\\`", [("name", "`a``b\\`")]),
        ("1 /*/ x */ 2 // y\r3", [("number", "1"), ("number", "2"), ("number", "3")]),
        ("1 // y\u2028 2", [("number", "1")]),
        ("$a $ b $/*c*/`d``e` $1", [("parameter", part) for part in ("$a", "$ b", "$/*c*/`d``e`", "$1")]),
        (
            "$any $all + 1 $anyone(",
            [
                ("parameter", "$any"),
                ("parameter", "$all"),
                ("punctuation", "+"),
                ("number", "1"),
                ("parameter", "$anyone"),
                ("punctuation", "("),
            ],
        ),
        (
            "n:$any(x",
            [
                ("word", "n"),
                ("punctuation", ":"),
                ("punctuation", "$"),
                ("word", "any"),
                ("punctuation", "("),
                ("word", "x"),
            ],
        ),
        ("$/*c*/ ALL //d\n(", [("punctuation", "$"), ("word", "ALL"), ("punctuation", "(")]),
        ("a$b x€1 _y ünï á", [("word", part) for part in ("a$b", "x€1", "_y", "ünï", "á")]),
        (
            "0x1F 1e-3 1_000 1..3",
            [("number", part) for part in ("0x1F", "1e-3", "1_000")]
            + [("number", "1"), ("punctuation", "."), ("punctuation", "."), ("number", "3")],
        ),
        (r"\u0027;\u0027\u003b", [("string", "';'"), ("separator", ";")]),
        (r"'\\\u0027;", [("string", r"'\\'"), ("separator", ";")]),
        (r"'\\u0027;'", [("string", r"'\\u0027;'")]),
        ("'a;\n", [("unterminated", "'a;\n")]),
        ("a /* b;", [("word", "a"), ("unterminated", "/* b;")]),
    ],
)
def test_tokens(text: str, expected: list[tuple[str, str]]) -> None:
    assert kinds(text) == expected


@pytest.mark.parametrize(
    "space", "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \u00a0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000"
)
def test_white_space_is_what_the_server_takes_for_it(space: str) -> None:
    assert kinds(f"RETURN{space}1") == [("word", "RETURN"), ("number", "1")]


@pytest.mark.parametrize("character", "\u0085\u200b\ufeff\u180e\x00\x7f")
def test_other_characters_are_no_white_space(character: str) -> None:
    assert kinds(f"RETURN{character}1") != [("word", "RETURN"), ("number", "1")]


ANY_NAME = st.text(st.characters() | st.sampled_from("`\\u0\0'\";"))


@given(ANY_NAME)
def test_a_name_is_one_token_or_refused(name: str) -> None:
    try:
        text = quote(name)
    except ProjectError as error:
        assert error.error_code == "GM108"  # noqa: PT017 - either outcome is right, but no third
        assert not name or any(each in "\\\0" or "\ud800" <= each <= "\udfff" for each in name)
        return
    (token,) = tokens(text)
    assert token.kind is TokenKind.NAME
    assert unquoted(token) == name


@pytest.mark.parametrize("name", ["", "a\\u0060b", "\\", "a\0", "\ud83d"])
def test_dangerous_names_are_refused(name: str) -> None:
    with pytest.raises(ProjectError, match="cannot be the name"):
        quote(name)


def test_names_with_anything_else_are_quoted() -> None:
    assert quote("Größe; DROP") == "`Größe; DROP`"
    assert quote("a`b``") == "`a``b`````"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("RETURN $a, $b.c, $`d ``e`, $ f, $/* g */h, $1", ["a", "b", "d `e", "f", "h", "1"]),
        ("RETURN '$a', \"$b\", `$c` // $d\n/* $e */", []),
        ("RETURN a$b, {$: 1}", []),
        ("RETURN $a + $a", ["a", "a"]),
        (r"RETURN \u0024a", ["a"]),
        ("MATCH (n:$any(['A', $b]) {x: $any}) WHERE n:$All /* c */ ($all) RETURN n", ["b", "any", "all"]),
        ("RETURN $ünï", ["ünï"]),
    ],
)
def test_parameters_are_found_outside_quotes_and_comments(text: str, names: list[str]) -> None:
    found = parameters(text)
    assert [each.name for each in found] == names
    for each in found:
        assert text[each.start] in "$\\"
        assert text[each.start : each.end].strip("`").endswith(each.name.split("`")[-1])
