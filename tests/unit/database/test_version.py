from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmigrate.database.version import ORDER, Version
from graphmigrate.errors import ProjectError

NUMBERS = st.lists(st.integers(0, 10**20), min_size=1, max_size=5)


def written(numbers: list[int], separator: str = ".", zeros: int = 0) -> str:
    return separator.join("0" * zeros + str(number) for number in numbers)


@given(NUMBERS, st.sampled_from("._"), st.integers(0, 4), st.integers(0, 3), st.sampled_from(["", "V", "v"]))
def test_one_version_in_every_writing(
    numbers: list[int], separator: str, zeros: int, trailing: int, lead: str
) -> None:
    plain = Version.parse(written(numbers))
    other = Version.parse(lead + written(numbers + [0] * trailing, separator, zeros))
    assert plain == other
    assert hash(plain) == hash(other)
    assert plain.canonical == other.canonical
    assert Version.parse(plain.canonical) == plain


@given(NUMBERS, NUMBERS)
def test_order_is_that_of_the_numbers(first: list[int], second: list[int]) -> None:
    length = max(len(first), len(second))
    a, b = first + [0] * (length - len(first)), second + [0] * (length - len(second))
    assert (Version.parse(written(first)) < Version.parse(written(second))) is (a < b)
    assert (Version.parse(written(first)) == Version.parse(written(second))) is (a == b)


def test_the_order_people_expect() -> None:
    texts = ["0", "0.1", "1", "1.0.1", "1_2", "1.10", "2", "10", "20260131120000"]
    assert [str(each) for each in sorted(map(Version.parse, reversed(texts)))] == texts


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("001", "1"), ("1.0", "1"), ("1_02_00", "1.2"), ("0.0", "0"), ("V7", "7"), (" 7 ", "7")],
)
def test_canonical(text: str, canonical: str) -> None:
    version = Version.parse(text)
    assert version.canonical == canonical
    assert version.text == text.strip().removeprefix("V")


@pytest.mark.parametrize(
    "text", ["", "V", "1.", ".1", "1..2", "a", "1a", "-1", "1-2", "\u0661", "1" * 5000, "V 1"]
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ProjectError, match="is not a version") as caught:
        Version.parse(text)
    assert caught.value.error_code == "GM119"
    assert "1.2" in (caught.value.hint or "")
    assert len(caught.value.message) < 250


def test_as_text_ten_comes_before_nine_and_is_the_same_version_all_the_same() -> None:
    token = ORDER.set("lexicographic")
    try:
        texts = ["001", "1.10", "1.2", "10", "9"]
        versions = [Version.parse(each) for each in reversed(texts)]
        assert [str(each) for each in sorted(versions)] == texts
        assert max(versions) < Version.named("R__a")
        (one,) = {Version.parse("1"), Version.parse("001"), Version.parse("1_0.00")}
        assert one.canonical == "1"
        assert Version.parse("1") != Version.parse("2")
    finally:
        ORDER.reset(token)
    assert Version.parse("9") < Version.parse("10")
