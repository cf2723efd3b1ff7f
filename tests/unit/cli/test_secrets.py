from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from graphmigrate.cli.render.json import encode
from graphmigrate.cli.render.secrets import masked, masked_values

HOSTILE = st.text(st.sampled_from("ab'\"\\ $`%;\n\u00e4{}"), min_size=4, max_size=12)


def cypher_literals(value: str) -> list[str]:
    backslashes = value.replace("\\", "\\\\")
    return ["'" + backslashes.replace("'", "\\'") + "'", '"' + backslashes.replace('"', '\\"') + '"']


@given(HOSTILE)
@example("a\\'b")
@example("\\\\\\\\")
def test_a_known_secret_in_every_shape_it_is_printed_in(secret: str) -> None:
    for shown in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], quote(secret), quote(secret, "")):
        assert shown not in masked(f"before {shown} after", [secret])


@given(HOSTILE)
def test_literal_passwords_of_administration_commands(password: str) -> None:
    marked = f"hunter{password}22"
    for literal in cypher_literals(marked):
        for statement in (
            f"CREATE USER a SET PASSWORD {literal} CHANGE NOT REQUIRED",
            f"alter user a\nset plaintext password\n{literal};",
            f"ALTER CURRENT USER SET PASSWORD FROM {literal} TO {literal}",
        ):
            for text in (masked(statement, []), encode(masked_values({"text": statement}, []))):
                assert "hunter" not in text
                assert text.count("***") == statement.count("hunter")


@pytest.mark.parametrize(
    "text",
    [
        "CREATE USER a SET PASSWORD 'hunter2",  # its end is missing
        "CREATE USER a SET PLAINTEXT /* it's */ PASSWORD // so\n 'hunter2' CHANGE REQUIRED",
        "CREATE USER a SET AUTH 'native' { SET PASSWORD \\u0027hunter2\\u0027 }",
        "ALTER ALIAS a SET DATABASE TARGET b AT 'bolt://h' USER `c d` PASSWORD 'hunter2'",
        "ALTER ALIAS a SET DATABASE PASSWORD 'hunter2'",
        "ALTER ALIAS a IF EXISTS SET DATABASE TARGET b AT 'neo4j+s://h' PASSWORD 'hunter2'",
        "ALTER ALIAS a SET DATABASE DRIVER {x: 1} PASSWORD 'hunter2'",
        "ALTER ALIAS a SET DATABASE USER `b``c d` PASSWORD 'hunter2'",
        "CREATE USER a IF NOT EXISTS PASSWORD 'hunter2'",  # a mistake, which its error quotes
        "CREATE USER a WITH NEW PASSWORD 'hunter2'",
        "  SET PASSWORD 'hunter2' NONSENSE",  # one line of a statement, as an error shows it
        "    PASSWORD 'hunter2' NONSENSE",
    ],
)
def test_passwords_are_found_by_token(text: str) -> None:
    assert "hunter2" not in masked(text, [])
    assert masked_values([text], []) == [masked(text, [])]


def test_messages_may_quote_a_command_or_a_line_of_one() -> None:
    for said in ("It's wrong: CREATE USER a SET PASSWORD 'hunter2'", "  12 | PASSWORD 'hunter2' NONSENSE"):
        assert "hunter2" not in masked(said, [])
        assert "hunter2" not in encode(masked_values({"message": said}, [], anywhere=True))
    picture = "{message: Invalid input (line 2)\n\"  SET PASSWORD 'hunter2' NONSENSE\"\n   ^}"
    assert masked(picture, []) == picture.replace("hunter2", "***")


def test_the_line_of_a_place_may_begin_inside_a_comment() -> None:
    line = " that's all */ CREATE USER a SET PASSWORD 'hunter2' NONSENSE;"
    assert masked_values({"source": line}, []) == {"source": line.replace("hunter2", "***")}


PROMPTS = [
    "CREATE (:Prompt {text: 'Then set password '})",
    "CREATE (:Prompt {text: 'Enter your password '})",
    "CREATE (:Prompt {text: 'Enter your name'})",
]


def test_what_only_looks_like_a_password_stays() -> None:
    assert masked_values({"statements": PROMPTS}, []) == {"statements": PROMPTS}
    text = "\n".join(PROMPTS[1:])
    assert masked(text, []) == text


def test_what_a_terminal_cuts_off_takes_no_other_line_with_it() -> None:
    lines = ["  1  system  CREATE USER a SET PASSWORD 'hunt… … (1 more line)", f"  2  data  {PROMPTS[2]}"]
    assert masked("\n".join(lines), []).splitlines() == [
        "  1  system  CREATE USER a SET PASSWORD '***'",
        lines[1],
    ]


def test_results_keep_their_keys_and_numbers() -> None:
    result = {"password_file": "a/password", "counts": {"12345678": 12345678}, "said": ["id 12345678"]}
    assert masked_values(result, ["password", "12345678"]) == {
        "password_file": "a/***",
        "counts": {"12345678": 12345678},
        "said": ["id ***"],
    }


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
    assert masked(text, []) == text
