"""What templates cannot reach: text made of values, and whatever lies outside the sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.seed_programs import EVIL, MACRO, refusal

FORBIDDEN = [
    "{{ v | safe }}",
    "{{ v | e }}",
    "{{ v | escape }}",
    "{{ v | forceescape }}",
    "{{ v | tojson }}",
    "{{ {'a': v} | xmlattr }}",
    "{{ v | urlize }}",
    "{{ v | striptags }}",
    "{{ [v] | random }}",
    "{{ v | pprint }}",
    "{{ [v] | map('safe') | first }}",
    "{% if true %}{{ v | safe }}{% endif %}",
    "{% filter upper %}RETURN 1{% endfilter %}",
    "{% set x | upper %}RETURN 1{% endset %}",
    "{% call 'RETURN 1'.strip %}{% endcall %}",
    "{% call dict() %}{% endcall %}",
    "{% call cycler('RETURN 1').next() %}{% endcall %}",
    "{{ lipsum() }}",
    "{% do v.append(1) %}",
    "{% trans %}x{% endtrans %}",
]


@pytest.mark.parametrize("text", FORBIDDEN)
def test_what_makes_text_out_of_values_is_not_there(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, text, v=EVIL).error_code in {"GM570", "GM571", "GM572", "GM575"}


ESCAPES = [
    "{{ ''.__class__ }}",
    "{{ ''['__class__'] }}",
    "{{ '' | attr('__class__') }}",
    "{{ [''] | map(attribute='__class__') | list }}",
    "{{ '{0.__class__}'.format(v) }}",
    "{{ '{0.__class__.__mro__}'.format_map({'0': v}) }}",
    "{{ m.__globals__ }}",
    "{{ m._func }}",
    "{{ csv.__globals__ }}",
    "{{ csv.__closure__ }}",
    "{{ range.__init__ }}",
    "{{ range(3)._range }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ joiner('x').__class__ }}",
    "{{ namespace().__init__ }}",
    "{{ dict.__subclasses__() }}",
    "{{ dict.mro() }}",
    "{{ m()._pieces }}",
    "{{ [1].append(2) }}",
    "{{ {'a': 1}.update({'b': 2}) }}",
    "{% set x = v.__class__ %}{{ x }}",
    "{{ environment }}",
    "{{ context }}",
    "{{ resolve }}",
    "{{ loop }}",
    "{{ caller }}",
    "{{ m }}",
    "{{ csv }}",
    "{{ self }}",
    "{{ range }}",
    "{{ dict }}",
    "{{ cycler('a') }}",
    "{{ namespace() }}",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_the_sandbox_holds(tmp_path: Path, text: str) -> None:
    refusal(tmp_path, MACRO + "RETURN " + text, v="x")
