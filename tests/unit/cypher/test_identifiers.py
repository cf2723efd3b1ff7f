from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmigrate.cypher.identifiers import quote
from graphmigrate.cypher.lexer import TokenKind, tokens, unquoted
from graphmigrate.cypher.parameters import parameters
from graphmigrate.errors import ProjectError

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
