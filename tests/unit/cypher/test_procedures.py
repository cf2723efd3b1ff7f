"""What is known of procedures: which run a text, which touch no node."""

import pytest

from graphmigrate.cypher.procedures import text_arguments, touches_no_node
from graphmigrate.cypher.reader import significant


@pytest.mark.parametrize(
    ("name", "arguments", "texts"),
    [
        ("apoc.periodic.iterate", "'a', 'b', {}", ["'a'", "'b'"]),
        ("apoc.periodic.iterate", "$a, 'b' + 'c', {}", [None, None]),
        ("apoc.periodic.submit", "'name', 'a'", ["'a'"]),
        ("apoc.periodic.commit", "", [None]),
        ("apoc.do.when", "true, 'a', 'b'", ["'a'", "'b'"]),
        ("apoc.do.case", "[true, 'a', false, 'b'], 'c'", ["'a'", "'b'", "'c'"]),
        ("apoc.do.case", "$cases, 'c'", [None, "'c'"]),
        ("apoc.periodic.list", "", None),
        ("my.iterate", "'a', 'b'", None),
    ],
)
def test_the_texts_that_a_procedure_runs(name, arguments, texts):
    found = text_arguments(name, significant(arguments))
    assert (found if found is None else [each and each.text for each in found]) == texts


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("db.labels", "", True),
        ("apoc.load.json", "'x'", True),
        ("gds.pagerank.stream", "'g'", True),
        ("gds.pagerank.write", "'g'", False),
        ("apoc.refactor.rename.label", "'a', 'b'", True),
        ("apoc.refactor.rename.label", "$a, 'b'", False),
        ("apoc.nodes.delete", "[]", False),
        ("db.labels.of.mine", "", False),
    ],
)
def test_procedures_that_touch_no_node(name, arguments, expected):
    assert touches_no_node(name, significant(arguments)) is expected
