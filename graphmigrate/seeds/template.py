"""Rendering: from a seed and its variables to pieces (text, values, row blocks), with every error at its line.

Jinja would yield one string. Here the code generator writes each output as a piece instead, and pieces are joined by
``join``: so no value becomes text, whatever a template does with macros, set blocks, filters or operators.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from jinja2 import (
    Environment,
    FunctionLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    UndefinedError,
    nodes,
)
from jinja2.compiler import CodeGenerator, Frame
from jinja2.ext import Extension

from graphmigrate.cypher.lexer import quote
from graphmigrate.errors import Place, ProjectError, closest
from graphmigrate.seeds import frontmatter
from graphmigrate.seeds.files import MissingFile, SeedFileError, did_you_mean, file_checksum, open_inside
from graphmigrate.seeds.folder import SUFFIX, decode
from graphmigrate.seeds.functions import Functions
from graphmigrate.seeds.generate import Specification
from graphmigrate.seeds.rows import as_source
from graphmigrate.seeds.values import NoValue, literal, parameter

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from jinja2.parser import Parser

    from graphmigrate.seeds.frontmatter import SeedFile
    from graphmigrate.seeds.rows import Source

TEXT, VALUE, IDENTIFIER, LITERAL = "text", "value", "identifier", "literal"
_TAGS = (
    "unwind", "endunwind", "for", "endfor", "if", "elif", "else", "endif", "set", "endset", "macro", "endmacro",
    "call", "endcall", "include", "import", "from", "extends", "block", "endblock", "raw", "endraw", "with", "endwith",
)  # fmt: skip
# A seed that is rendered again must say the same, so that an interrupted load can be resumed.
_CLOCK = frozenset({"now", "today", "utcnow", "utc_now", "astimezone", "to_clock_time"})


class Piece(NamedTuple):
    """What stands at a line of a template: text of Cypher, a value that becomes a parameter, a name or a number.

    Names and numbers, which the filters ``identifier`` and ``literal`` make, are valid only where they are read as one token.
    """

    kind: str
    text: str
    template: str = ""
    line: int = 0
    value: Any = None


class RowBlock(NamedTuple):
    """An ``{% unwind %}`` block: its variable, its rows and its body."""

    variable: str
    source: Source
    body: tuple[Piece | RowBlock, ...]
    template: str
    line: int


class Text(NoValue):
    """Template text, as a macro, an include, ``caller``, ``super`` or a set block returns it; it can only be written out."""

    def __init__(self, pieces: Iterable[Piece | RowBlock]) -> None:
        self.pieces = tuple(pieces)

    def refusal(self) -> SeedFileError:
        """See NoValue."""
        return SeedFileError(
            "Template text cannot be used as a value.",
            hint="The result of a macro, an include or a set block is Cypher text: it can only be"
            " written out with {{ … }}. Use {% set name = expression %} for a value.",
            code="GM575",
        )


def join(items: Iterable[object]) -> Text:
    """Join what compiled template code yields; anything that is not engine-made is refused."""
    pieces: list[Piece | RowBlock] = []
    for item in items:
        if isinstance(item, Text):
            pieces.extend(item.pieces)
        elif isinstance(item, (Piece, RowBlock)):
            pieces.append(item)
        else:
            hint = "Only macros can be called with {% call %}; write values with {{ … }}."
            raise SeedFileError(
                "Something here would put a value into the Cypher text.", hint=hint, code="GM572"
            )
    return Text(pieces)


@dataclass(frozen=True, slots=True)
class Rendering:
    """What one rendering yielded.

    ``templates`` are the texts of all templates that took part, by name, ``files`` the data files, ``environment``
    the variables of the environment with their values.
    """

    root: Path
    pieces: tuple[Piece | RowBlock, ...]
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
    texts = {main: seed.text}

    def load(name: str) -> tuple[str, str, Callable[[], bool]]:
        """Read an included or imported template, and remember what was read."""
        if name not in texts:
            try:
                with open_inside(root, name) as stream:
                    texts[name] = decode(stream.read(), str(root / name))
            except MissingFile as error:
                raise TemplateNotFound(name, error.message) from error
        return frontmatter.split(texts[name])[1], name, lambda: True

    functions = Functions(root, seed.name, allowed or {})
    environment = _Environment(FunctionLoader(load), functions)
    rendering = Rendering(root, (), texts)
    try:
        template = environment.get_template(main)
        text = join(template.root_render_func(template.new_context(dict(variables))))
    except TemplateSyntaxError as error:
        place = rendering.place(error.name or main, error.lineno)
        raise _not_a_template(error, place, environment) from None
    except SeedFileError as error:
        error.place = error.place or rendering.place(*_line_of(error, main))
        raise
    except Exception as error:
        raise _not_evaluated(error, rendering.place(*_line_of(error, main)), variables) from error
    return Rendering(root, text.pieces, texts, frozenset(functions.files), functions.variables)


def checksum(seed: SeedFile, rendering: Rendering) -> str:
    """SHA-256 of all that the seed was made of: its template, those it includes, data files, the environment.

    A seed of one file has just that file's checksum.
    """
    main = seed.name + SUFFIX
    parts = {f"template {name}": _sha(text) for name, text in rendering.templates.items() if name != main}
    parts |= {f"data {name}": file_checksum(rendering.root, name) for name in rendering.files}
    parts |= {f"environment {name}": _sha(value) for name, value in rendering.environment.items()}
    if not parts:
        return seed.own_checksum
    return _sha("\n".join([seed.own_checksum, *(f"{part}\0{parts[part]}" for part in sorted(parts))]))


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


def _not_a_template(error: TemplateSyntaxError, place: Place, environment: Environment) -> SeedFileError:
    message = error.message or "This is not a valid template"
    if message.startswith("No filter named"):
        name = message.split("'")[1]
        hint: str | None = did_you_mean(name, environment.filters, "filters")
        return SeedFileError(f"There is no filter {name!r} in seeds.", hint=hint, place=place, code="GM572")
    unknown = re.match(r"Encountered unknown tag '(\w+)'", message)
    close = closest(unknown[1], _TAGS) if unknown else None
    hint = f"Did you mean {{% {close} %}}?" if close else None
    return SeedFileError(message, hint=hint, place=place, code="GM570")


def _not_evaluated(error: Exception, place: Place, variables: Mapping[str, Any]) -> SeedFileError:
    hint, code = None, "GM571"
    if isinstance(error, TemplateNotFound):
        message, code = f"There is no template {error.name!r} in the seeds folder.", "GM583"
    elif isinstance(error, UndefinedError):
        said = str(error.message).rstrip(".")
        message = f"In this template {said}."
        if said.startswith("'") and said.endswith("' is undefined"):
            known = did_you_mean(said.split("'")[1], variables, "variables")
            hint = f"{known} Write a default for it under 'vars' in the front matter."
    elif isinstance(error, TemplateError):
        message = error.message or str(error)
    else:
        reason = "it calls itself without end" if isinstance(error, RecursionError) else f"{error}"
        message = f"This cannot be evaluated: {reason} ({type(error).__name__})."
    return SeedFileError(message, hint=hint, place=place, code=code)


# ---- the environment


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


class _Environment(Environment):
    """The environment of one rendering of one seed."""

    code_generator_class = _PieceGenerator
    concat = staticmethod(join)  # type: ignore[assignment]

    def __init__(self, loader: FunctionLoader, functions: Functions) -> None:
        super().__init__(
            loader=loader,
            undefined=StrictUndefined,
            extensions=[_Unwind],
            optimized=False,
            auto_reload=False,
            keep_trailing_newline=True,
        )
        self.functions = functions
        self.filters |= {"identifier": _identifier, "literal": _literal}
        self.globals |= functions.by_name()
        del self.filters["random"], self.globals["lipsum"]  # they differ from run to run

    def fragment(self, text: str, template: str, line: int) -> Piece:
        """Return template text; called by compiled templates."""
        return Piece(TEXT, text, template, line)

    def output(self, value: Any, template: str, line: int) -> Text | Piece:
        """Return what ``{{ … }}`` yields: template text as it is, anything else as a value."""
        if isinstance(value, Text):
            made = [each for each in value.pieces if not each.template and isinstance(each, Piece)]
            return made[0]._replace(template=template, line=line) if made else value
        if isinstance(value, Specification):
            value = self.functions.made(value)
        return Piece(VALUE, "", template, line, parameter(value))

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Prefer a map's own key to a method of the same name: ``person.items`` is what the person has."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        if attribute in _CLOCK or attribute.startswith("_"):
            return self.undefined(f"nothing here has {attribute!r}: a seed must say the same each time")
        return super().getattr(obj, attribute)


def _identifier(name: Any) -> Text:
    if not isinstance(name, str):
        parameter(name)  # says it better where this is undefined or text
        raise SeedFileError(f"'identifier' takes a text, not a {type(name).__name__}.", code="GM108")
    if "\r" in name:
        raise SeedFileError("A carriage return cannot be part of a name.", code="GM108")
    try:
        return Text([Piece(IDENTIFIER, quote(str(name)))])
    except ProjectError as error:
        raise SeedFileError(error.message, hint=error.hint, code="GM108") from None


def _literal(value: Any) -> Text:
    return Text([Piece(LITERAL, literal(value))])


# ---- row blocks


class RowVariable(NoValue):
    """What the row variable is to Jinja: a Cypher variable, of which a template knows no values."""

    def __init__(self, name: str) -> None:
        self._name = name

    def refusal(self, used: str = "") -> SeedFileError:
        """See NoValue; ``used`` is how the template writes it."""
        used = used or self._name
        message = (
            f"{used} has no value while the template is rendered: {self._name!r} is a variable of Cypher."
        )
        return SeedFileError(message, hint=f"Write it without braces: {used}", code="GM580")

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(name) if name.startswith("_") else self.refusal(f"{self._name}.{name}")

    def __getitem__(self, *name: object) -> NoReturn:
        raise self.refusal(f"{self._name}.{name[0]}")


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
        body = caller(RowVariable(variable)).pieces
        if any(isinstance(piece, RowBlock) for piece in body):
            message = "An {% unwind %} block cannot stand inside another one."
            hint = "Use Cypher's own UNWIND for lists inside a row: UNWIND row.tags AS tag"
            raise SeedFileError(message, hint=hint, code="GM580")
        return Text([RowBlock(variable, source, body, template, line)])
