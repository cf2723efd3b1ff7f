from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from graphmigrate.cli.render.json import encode
from graphmigrate.cli.render.redaction import redacted

HOSTILE = st.text(st.sampled_from("ab'\"\\ $`%;\n\u00e4{}"), min_size=4, max_size=12)


def cypher_literals(value: str) -> list[str]:
    backslashes = value.replace("\\", "\\\\")
    return ["'" + backslashes.replace("'", "\\'") + "'", '"' + backslashes.replace('"', '\\"') + '"']


@given(HOSTILE)
@example("a\\'b")
@example("\\\\\\\\")
def test_a_known_secret_in_every_shape_it_is_printed_in(secret: str) -> None:
    for shown in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], quote(secret), quote(secret, "")):
        assert shown not in redacted(f"before {shown} after", [secret])


@given(HOSTILE)
def test_literal_passwords_of_administration_commands(password: str) -> None:
    marked = f"hunter{password}22"
    for literal in cypher_literals(marked):
        for statement in (
            f"CREATE USER a SET PASSWORD {literal} CHANGE NOT REQUIRED",
            f"alter user a\nset plaintext password\n{literal};",
            f"ALTER CURRENT USER SET PASSWORD FROM {literal} TO {literal}",
        ):
            for text in (statement, encode({"text": statement})):
                assert "hunter" not in redacted(text, [])
                assert redacted(text, []).count("***") == text.count("hunter")


@pytest.mark.parametrize(
    "text",
    [
        "bolt://h refused the user name or the password.",
        "CREATE USER a SET PASSWORD $password CHANGE NOT REQUIRED",
        "Set NEO4J_PASSWORD to 'x'",
        "MATCH (n {password: 'x'}) RETURN n",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert redacted(text, []) == text
