"""Jinja, made to yield pieces (text, values, row blocks) where it would yield one string.

Jinja's own ways to join strings are never used: the code generator below writes every output as a piece, so
constants are not folded into text, ``finalize`` is not needed, autoescape does not exist, and a raw string in
the output is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from jinja2 import StrictUndefined, TemplateNotFound, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.ext import Extension
from jinja2.loaders import BaseLoader
from jinja2.sandbox import ImmutableSandboxedEnvironment

from graphmigrate.cypher.identifiers import quote
from graphmigrate.errors import Place, ProjectError
from graphmigrate.seeds import frontmatter
from graphmigrate.seeds.errors import SeedFileError
from graphmigrate.seeds.filters import harmless_filters
from graphmigrate.seeds.folder import SUFFIX, decode
from graphmigrate.seeds.functions import Functions, Named
from graphmigrate.seeds.paths import MissingFile, open_inside
from graphmigrate.seeds.pieces import (
    Fragment,
    MadeToken,
    Origin,
    Placeholder,
    RowBlock,
    Text,
    join,
    pieces_of,
)
from graphmigrate.seeds.rows import Source, as_source
from graphmigrate.seeds.specifications import Specification
from graphmigrate.seeds.values import literal, parameter

if TYPE_CHECKING:
    from pathlib import Path

    from jinja2.parser import Parser

_NOWHERE = Origin("", 0)
# What would make two renderings of one seed differ, so that an interrupted load could not be resumed.
_CLOCK = frozenset({"now", "today", "utcnow", "utc_now", "astimezone", "to_clock_time"})


class PieceGenerator(CodeGenerator):
    """Compiles a template so that each output is a call of the environment, with its template and line."""

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:  # noqa: N802 - Jinja's name
        """Write one piece for each child."""
        if frame.require_output_check:
            if self.has_known_extends:
                return
            self.writeline("if parent_template is None:")
            self.indent()
        for child in node.nodes:
            self.start_write(frame, child)
            if isinstance(child, nodes.TemplateData):
                self.write(f"environment.fragment({child.data!r}")
            else:
                self.write("environment.output(")
                self.visit(child, frame)
            self.write(f", {self.name!r}, {child.lineno})")
            self.end_write(frame)
        if frame.require_output_check:
            self.outdent()

    def visit_CallBlock(self, node: nodes.CallBlock, frame: Frame) -> None:  # noqa: N802
        """Write the result of ``{% call %}``, which Jinja lets bypass every check, through one of ours."""
        call_frame, macro = self.macro_body(node, frame)
        self.writeline("caller = ")
        self.macro_def(macro, call_frame)
        self.start_write(frame, node)
        self.write("environment.called(")
        self.visit_Call(node.call, frame, forward_caller=True)
        self.write(")")
        self.end_write(frame)

    def visit_AssignBlock(self, node: nodes.AssignBlock, frame: Frame) -> None:  # noqa: N802
        """Refuse a set block with a filter: its input would be text."""
        if node.filter is not None:
            self.fail("A set block cannot have a filter: its content is Cypher text.", node.lineno)
        super().visit_AssignBlock(node, frame)

    def write_commons(self) -> None:
        """Make an ``if`` expression without ``else`` strict, too."""
        super().write_commons()
        self.writeline("cond_expr_undefined = undefined")

    def visit_FilterBlock(self, node: nodes.FilterBlock, frame: Frame) -> None:  # noqa: N802, ARG002
        """Refuse ``{% filter %}``."""
        self.fail("There is no {% filter %} in seeds: it would work on Cypher text.", node.lineno)

    def visit_ScopedEvalContextModifier(  # noqa: N802
        self,
        node: nodes.ScopedEvalContextModifier,
        frame: Frame,  # noqa: ARG002
    ) -> None:
        """Refuse ``{% autoescape %}``."""
        self.fail("There is no {% autoescape %} in seeds: values are never text.", node.lineno)

    def visit_EvalContextModifier(self, node: nodes.EvalContextModifier, frame: Frame) -> None:  # noqa: N802, ARG002
        """Refuse what only extensions could make."""
        self.fail("Escaping cannot be switched in seeds.", node.lineno)

    visit_MarkSafe = visit_MarkSafeIfAutoescape = visit_EvalContextModifier  # type: ignore[assignment] # noqa: N815


class RowVariable:
    """What the row variable is to Jinja: a Cypher variable, of which a template knows no values."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def _refuse(self, used: str) -> NoReturn:
        raise SeedFileError(
            f"{used} has no value while the template is rendered: {self._name!r} is a variable of Cypher.",
            hint=f"Write it without braces: {used}",
            code="GM581",
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._refuse(f"{self._name}.{name}")

    def __getitem__(self, name: object) -> Any:
        return self._refuse(f"{self._name}.{name}" if isinstance(name, str) else self._name)

    def _alone(self, *_: object) -> Any:
        return self._refuse(self._name)

    __str__ = __repr__ = __bool__ = __iter__ = __len__ = __call__ = _alone
    __add__ = __radd__ = __sub__ = __mul__ = __mod__ = __lt__ = __gt__ = __le__ = __ge__ = _alone
    __hash__ = None  # type: ignore[assignment]
    __eq__ = __ne__ = _alone


class Unwind(Extension):
    """``{% unwind row in SOURCE %} … {% endunwind %}``."""

    tags = {"unwind"}  # noqa: RUF012 - Jinja declares it as an instance variable

    def parse(self, parser: Parser) -> nodes.Node:
        """Read the tag; its body becomes the ``caller`` of a call block."""
        line = next(parser.stream).lineno
        variable = parser.stream.expect("name").value
        parser.stream.expect("name:in")
        rows = parser.parse_expression()
        body = parser.parse_statements(("name:endunwind",), drop_needle=True)
        details = [nodes.Const(variable), nodes.Const(parser.name or ""), nodes.Const(line)]
        call = self.call_method("block", [rows, *details], lineno=line)
        parameters = [nodes.Name(variable, "param", lineno=line)]
        return nodes.CallBlock(call, parameters, [], body).set_lineno(line)

    @staticmethod
    def block(
        rows: Any, variable: str, template: str, line: int, caller: Callable[[RowVariable], Text]
    ) -> Text:
        """Make the row block (GM580 for one inside another)."""
        source = as_source(rows)
        body = pieces_of(caller(RowVariable(variable)))
        for piece in body:
            if isinstance(piece, RowBlock):
                raise SeedFileError(
                    "An {% unwind %} block cannot stand inside another one.",
                    hint="Use Cypher's own UNWIND for lists inside a row: UNWIND row.tags AS tag",
                    code="GM580",
                )
        return Text([RowBlock(variable, source, body, Origin(template, line))])


def template_place(root: Path, templates: Mapping[str, str], name: str, line: int, column: int = 1) -> Place:
    """Give a place in a template, with its line of source where the template is known."""
    lines = templates.get(name, "").split("\n")
    source = lines[line - 1] if 0 < line <= len(lines) else None
    return Place(str(root / name), line, column, source)


class SeedLoader(BaseLoader):
    """Finds included and imported templates in ``seeds/`` and remembers what was read."""

    def __init__(self, root: Path, main: str, text: str) -> None:
        self.root = root
        self.seed = main.removesuffix(SUFFIX)
        self.texts = {main: text}

    def place(self, template: str, line: int, column: int = 1) -> Place:
        """Give a place in one of the templates read so far, with its line of source."""
        return template_place(self.root, self.texts, template, line, column)

    def get_source(self, environment: Any, template: str) -> tuple[str, str, Callable[[], bool]]:  # noqa: ARG002
        """See BaseLoader."""
        if template not in self.texts:
            try:
                with open_inside(self.root, template) as stream:
                    self.texts[template] = decode(stream.read(), str(self.root / template))
            except MissingFile as error:
                raise TemplateNotFound(template, error.message) from error
        return frontmatter.split(self.texts[template])[1], template, lambda: True


class SeedEnvironment(ImmutableSandboxedEnvironment):
    """The environment of one rendering of one seed; ``variables`` are those that ``env`` may give."""

    code_generator_class = PieceGenerator
    concat = staticmethod(join)  # type: ignore[assignment]

    def __init__(self, loader: SeedLoader, variables: Mapping[str, str | None] | None = None) -> None:
        super().__init__(
            loader=loader,
            undefined=StrictUndefined,
            extensions=[Unwind],
            autoescape=False,
            optimized=False,
            auto_reload=False,
            keep_trailing_newline=True,
        )
        self.filters = {**harmless_filters(), "identifier": _identifier, "literal": _literal}
        self.functions = Functions(loader.root, loader.seed, variables or {})
        self.globals = self.functions.by_name()

    def fragment(self, text: str, template: str, line: int) -> Fragment:
        """Give template text; called by compiled templates."""
        return Fragment(text, Origin(template, line))

    def output(self, value: Any, template: str, line: int) -> Text | Placeholder:
        """Give what ``{{ … }}`` yields: template text as it is, anything else as a value."""
        origin = Origin(template, line)
        if isinstance(value, Text):
            pieces = pieces_of(value)
            if len(pieces) == 1 and isinstance(pieces[0], MadeToken):
                return Text([MadeToken(pieces[0].text, pieces[0].kind, origin)])
            return value
        if isinstance(value, RowVariable):
            str(value)
        if isinstance(value, Specification):
            value = self.functions.made(value)
        return Placeholder(parameter(value), origin)

    def called(self, value: Any) -> Text:
        """Give what ``{% call %}`` yields, which must be a macro's text."""
        return join([value])

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Prefer a map's own key to a method of the same name: ``person.items`` is what the person has."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, Named):
            return obj.member(attribute)
        return super().getattr(obj, attribute)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Hide the engine's own objects as Jinja hides Python's."""
        if isinstance(obj, _OWN) or attr in _CLOCK:
            return False
        return super().is_safe_attribute(obj, attr, value)


_OWN = (Text, Source, Specification, Named, SeedLoader, SeedEnvironment)


def _identifier(name: Any) -> Text:
    if not isinstance(name, str):
        parameter(name)  # says it better where this is undefined or text
        raise SeedFileError(f"'identifier' takes a text, not a {type(name).__name__}.", code="GM577")
    if "\r" in name:
        raise SeedFileError("A carriage return cannot be part of a name.", code="GM577")
    try:
        return Text([MadeToken(quote(str(name)), "identifier", _NOWHERE)])
    except ProjectError as error:
        raise SeedFileError(error.message, hint=error.hint, code="GM577") from None


def _literal(value: Any) -> Text:
    return Text([MadeToken(literal(value), "literal", _NOWHERE)])
