"""Rendering: from a seed and its variables to pieces, with every error at its template and line."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jinja2 import Template, TemplateError, TemplateNotFound, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError

from graphmigrate.seeds.data import file_checksum
from graphmigrate.seeds.environment import SeedEnvironment, SeedLoader, template_place
from graphmigrate.seeds.errors import SeedFileError, did_you_mean
from graphmigrate.seeds.filters import unknown_filter
from graphmigrate.seeds.folder import SUFFIX
from graphmigrate.seeds.pieces import Piece, join, pieces_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from graphmigrate.errors import Place
    from graphmigrate.seeds.folder import SeedFile


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
        """Give a place in one of the templates, with its line of source."""
        return template_place(self.root, self.templates, template, line, column)


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
    loader = SeedLoader(root, main, seed.text)
    environment = SeedEnvironment(loader, allowed)
    try:
        template = environment.get_template(main)
        context = template.new_context(dict(variables))
        pieces = pieces_of(join(template.root_render_func(context)))
    except TemplateSyntaxError as error:
        raise _syntax(error, root, loader.texts, main) from None
    except SeedFileError as error:
        if error.place is None:
            error.place = _where(error, root, loader.texts, main)
        raise
    except Exception as error:
        raise _evaluation(error, _where(error, root, loader.texts, main), variables) from error
    functions = environment.functions
    return Rendering(root, pieces, loader.texts, frozenset(functions.files), functions.variables)


def _syntax(error: TemplateSyntaxError, root: Path, texts: Mapping[str, str], main: str) -> SeedFileError:
    place = template_place(root, texts, error.name or main, error.lineno)
    message = error.message or "This is not a valid template"
    if message.startswith("No filter named"):
        refusal = unknown_filter(message.split("'")[1])
        refusal.place = place
        return refusal
    forbidden = "in seeds" in message or "cannot have a filter" in message
    return SeedFileError(message, place=place, code="GM572" if forbidden else "GM570")


def _where(error: BaseException, root: Path, texts: Mapping[str, str], main: str) -> Place:
    """Find the innermost line of a template in a traceback."""
    name, line = main, 1
    trace = error.__traceback__
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template):
            name = template.name or main
            line = template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return template_place(root, texts, name, line)


def _evaluation(error: Exception, place: Place, variables: Mapping[str, Any]) -> SeedFileError:
    if isinstance(error, TemplateNotFound):
        return SeedFileError(
            f"There is no template {error.name!r} in the seeds folder.", place=place, code="GM583"
        )
    if isinstance(error, UndefinedError):
        message = str(error.message).rstrip(".")
        hint = None
        if message.startswith("'") and message.endswith("' is undefined"):
            known = did_you_mean(message.split("'")[1], variables, "variables")
            hint = f"{known} Give it a default under 'vars' in the front matter."
        return SeedFileError(f"In this template {message}.", hint=hint, place=place, code="GM571")
    if isinstance(error, SecurityError):
        return SeedFileError(f"Not allowed in a seed: {error.message}", place=place, code="GM572")
    if isinstance(error, TemplateError):
        message = error.message or str(error)
        if message.startswith("No filter named"):
            refusal = unknown_filter(message.split("'")[1])
            refusal.place = place
            return refusal
        return SeedFileError(message, place=place, code="GM571")
    reason = "it calls itself without end" if isinstance(error, RecursionError) else f"{error}"
    return SeedFileError(
        f"This cannot be evaluated: {reason} ({type(error).__name__}).", place=place, code="GM571"
    )


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
