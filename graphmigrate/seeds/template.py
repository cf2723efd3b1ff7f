"""Rendering: from a seed and its variables to pieces (text, values, row blocks), with every error at its line.

Jinja would yield one string. Here the code generator writes each output as a piece instead, and pieces are joined by
``pieces.join``: so no value becomes text, whatever a template does.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from jinja2 import (
    StrictUndefined,
    Template,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    UndefinedError,
    nodes,
)
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension
from jinja2.loaders import BaseLoader
from jinja2.sandbox import ImmutableSandboxedEnvironment

from graphmigrate.cypher.lexer import quote
from graphmigrate.errors import Place, ProjectError, closest
from graphmigrate.seeds import frontmatter
from graphmigrate.seeds.errors import SeedFileError, did_you_mean
from graphmigrate.seeds.folder import SUFFIX, decode
from graphmigrate.seeds.functions import Functions, Named, harmless_filters, unknown_filter
from graphmigrate.seeds.generate import Specification
from graphmigrate.seeds.paths import MissingFile, open_inside
from graphmigrate.seeds.pieces import (
    Fragment,
    MadeToken,
    Origin,
    Piece,
    Placeholder,
    RowBlock,
    Text,
    join,
    pieces_of,
)
from graphmigrate.seeds.rows import as_source, file_checksum
from graphmigrate.seeds.values import literal, parameter

if TYPE_CHECKING:
    from pathlib import Path

    from jinja2.parser import Parser

    from graphmigrate.seeds.frontmatter import SeedFile

_NOWHERE = Origin("", 0)
_TAGS = (
    "unwind", "endunwind", "for", "endfor", "if", "elif", "else", "endif", "set", "endset", "macro", "endmacro",
    "call", "endcall", "include", "import", "from", "extends", "block", "endblock", "raw", "endraw", "with", "endwith",
)  # fmt: skip
# A seed that is rendered again must say the same, so that an interrupted load can be resumed.
_CLOCK = frozenset({"now", "today", "utcnow", "utc_now", "astimezone", "to_clock_time"})


@dataclass(frozen=True, slots=True)
class Rendering:
    """What one rendering yielded.

    ``templates`` are the texts of all templates that took part, by name, ``files`` the data files, ``environment``
    the variables of the environment with their values.
    """

    root: Path
    pieces: tuple[Piece, ...]
    templates: dict[str, str]
    files: frozenset[str] = frozenset()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def place(self, template: str, line: int, column: int = 1) -> Place:
        """Return a place in one of the templates, with its line of source."""
        lines = self.templates.get(template, "").split("\n")
        source = lines[line - 1] if 0 < line <= len(lines) else None
        return Place(str(self.root / template), line, column, source)


def render(
    root: Path,
    seed: SeedFile,
    variables: Mapping[str, Any],
    allowed: Mapping[str, str | None] | None = None,
) -> Rendering:
    """Render a seed; raises SeedFileError (GM570 and above) at the template's line for whatever is wrong.

    ``allowed`` are the variables of the environment that it may read, with their values.
    """
    main = seed.name + SUFFIX
    loader = _Loader(root, {main: seed.text})
    environment = _Environment(loader, Functions(root, seed.name, allowed or {}))
    rendering = Rendering(root, (), loader.texts)
    try:
        template = environment.get_template(main)
        pieces = pieces_of(join(template.root_render_func(template.new_context(dict(variables)))))
    except TemplateSyntaxError as error:
        raise _not_a_template(error, rendering.place(error.name or main, error.lineno)) from None
    except SeedFileError as error:
        error.place = error.place or rendering.place(*_line_of(error, main))
        raise
    except Exception as error:
        raise _not_evaluated(error, rendering.place(*_line_of(error, main)), variables) from error
    functions = environment.functions
    return Rendering(root, pieces, loader.texts, frozenset(functions.files), functions.variables)


def checksum(seed: SeedFile, rendering: Rendering) -> str:
    """SHA-256 of all that the seed was made of: its template, those it includes, data files, the environment.

    A seed of one file has just that file's checksum.
    """
    main = seed.name + SUFFIX
    parts = {f"template {name}": _sha(text) for name, text in rendering.templates.items() if name != main}
    for name in sorted(rendering.files):
        parts[f"data {name}"] = file_checksum(rendering.root, name)
    parts |= {f"environment {name}": _sha(value) for name, value in rendering.environment.items()}
    if not parts:
        return seed.own_checksum
    listed = "\n".join([seed.own_checksum, *(f"{part}\0{parts[part]}" for part in sorted(parts))])
    return hashlib.sha256(listed.encode()).hexdigest()


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# ---- errors


def _line_of(error: BaseException, main: str) -> tuple[str, int]:
    """Return the innermost line of a template in a traceback."""
    name, line = main, 1
    trace = error.__traceback__
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template):
            name = template.name or main
            line = template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return name, line


def _not_a_template(error: TemplateSyntaxError, place: Place) -> SeedFileError:
    message = error.message or "This is not a valid template"
    unknown = re.match(r"Encountered unknown tag '(\w+)'", message)
    close = closest(unknown[1], _TAGS) if unknown else None
    hint = f"Did you mean {{% {close} %}}?" if close else None
    return _without_filter(message, place) or SeedFileError(message, hint=hint, place=place, code="GM570")


def _not_evaluated(error: Exception, place: Place, variables: Mapping[str, Any]) -> SeedFileError:
    hint, code = None, "GM571"
    if isinstance(error, TemplateNotFound):
        message, code = f"There is no template {error.name!r} in the seeds folder.", "GM583"
    elif isinstance(error, SecurityError):
        message, code = f"Not allowed in a seed: {error.message}", "GM572"
    elif isinstance(error, UndefinedError):
        said = str(error.message).rstrip(".")
        message = f"In this template {said}."
        if said.startswith("'") and said.endswith("' is undefined"):
            known = did_you_mean(said.split("'")[1], variables, "variables")
            hint = f"{known} Write a default for it under 'vars' in the front matter."
    elif isinstance(error, TemplateError):
        message = error.message or str(error)
        if found := _without_filter(message, place):
            return found
    else:
        reason = "it calls itself without end" if isinstance(error, RecursionError) else f"{error}"
        message = f"This cannot be evaluated: {reason} ({type(error).__name__})."
    return SeedFileError(message, hint=hint, place=place, code=code)


def _without_filter(message: str, place: Place) -> SeedFileError | None:
    if not message.startswith("No filter named"):
        return None
    refusal = unknown_filter(message.split("'")[1])
    refusal.place = place
    return refusal


# ---- the environment


class _Loader(BaseLoader):
    """Finds included and imported templates in ``seeds/`` and remembers what was read."""

    def __init__(self, root: Path, texts: dict[str, str]) -> None:
        self.root = root
        self.texts = texts

    def get_source(self, environment: Any, template: str) -> tuple[str, str, Callable[[], bool]]:  # noqa: ARG002
        """See BaseLoader."""
        if template not in self.texts:
            try:
                with open_inside(self.root, template) as stream:
                    self.texts[template] = decode(stream.read(), str(self.root / template))
            except MissingFile as error:
                raise TemplateNotFound(template, error.message) from error
        return frontmatter.split(self.texts[template])[1], template, lambda: True


class _PieceGenerator(CodeGenerator):
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

    def write_commons(self) -> None:
        """Make an ``if`` expression without ``else`` strict, too."""
        super().write_commons()
        self.writeline("cond_expr_undefined = undefined")


class _Environment(ImmutableSandboxedEnvironment):
    """The environment of one rendering of one seed."""

    code_generator_class = _PieceGenerator
    concat = staticmethod(join)  # type: ignore[assignment]

    def __init__(self, loader: _Loader, functions: Functions) -> None:
        super().__init__(
            loader=loader,
            undefined=StrictUndefined,
            extensions=[_Unwind],
            optimized=False,
            auto_reload=False,
            keep_trailing_newline=True,
        )
        self.functions = functions
        self.filters = {**harmless_filters(), "identifier": _identifier, "literal": _literal}
        self.globals = functions.by_name()

    def fragment(self, text: str, template: str, line: int) -> Fragment:
        """Return template text; called by compiled templates."""
        return Fragment(text, Origin(template, line))

    def output(self, value: Any, template: str, line: int) -> Text | Placeholder:
        """Return what ``{{ … }}`` yields: template text as it is, anything else as a value."""
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

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Prefer a map's own key to a method of the same name: ``person.items`` is what the person has."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, Named):
            return obj.member(attribute)
        return super().getattr(obj, attribute)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Leave the clock out."""
        return attr not in _CLOCK and super().is_safe_attribute(obj, attr, value)


def _identifier(name: Any) -> Text:
    if not isinstance(name, str):
        parameter(name)  # says it better where this is undefined or text
        raise SeedFileError(f"'identifier' takes a text, not a {type(name).__name__}.", code="GM108")
    if "\r" in name:
        raise SeedFileError("A carriage return cannot be part of a name.", code="GM108")
    try:
        return Text([MadeToken(quote(str(name)), "identifier", _NOWHERE)])
    except ProjectError as error:
        raise SeedFileError(error.message, hint=error.hint, code="GM108") from None


def _literal(value: Any) -> Text:
    return Text([MadeToken(literal(value), "literal", _NOWHERE)])


# ---- row blocks


class RowVariable:
    """What the row variable is to Jinja: a Cypher variable, of which a template knows no values."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def _refuse(self, used: str) -> NoReturn:
        raise SeedFileError(
            f"{used} has no value while the template is rendered: {self._name!r} is a variable of Cypher.",
            hint=f"Write it without braces: {used}",
            code="GM580",
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


class _Unwind(Extension):
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
        if any(isinstance(piece, RowBlock) for piece in body):
            raise SeedFileError(
                "An {% unwind %} block cannot stand inside another one.",
                hint="Use Cypher's own UNWIND for lists inside a row: UNWIND row.tags AS tag",
                code="GM580",
            )
        return Text([RowBlock(variable, source, body, Origin(template, line))])
