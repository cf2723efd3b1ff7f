"""Read a migration in Python: its text is parsed, and never imported (pure)."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, TypeVar

from graphmigrate.cypher.model import Kind, Statement
from graphmigrate.errors import Place, Problem
from graphmigrate.migrations.model import Code, Header, Migration, Options
from graphmigrate.migrations.names import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from graphmigrate.migrations.model import MigrationFile

_Function = TypeVar("_Function", bound="Callable[..., Any]")
_ROWS = 10_000
_FORM = "Write `def upgrade(tx):`, and `def downgrade(tx):` where it can be taken back."
_BATCHES = "Write `@batches(rows=10000)` above `def upgrade(tx):`, with a number that stands there."
_DEPENDS = 'Write the names out: DEPENDS = ["helpers/names.py"]'


def batches(*, rows: int = _ROWS) -> Callable[[_Function], _Function]:
    """Mark ``upgrade`` as one that changes at most ``rows`` rows each time; it is called until it returns 0.

    Each call is a transaction of its own, and returns how many rows it changed. The number is ``tx.rows``, and ``$rows`` in the
    statements. A call that failed or died is made again: a function may be called twice.

    >>> @batches(rows=500)
    ... def upgrade(tx):
    ...     found = tx.run("MATCH (p:Person) WHERE p.name IS NULL LIMIT $rows SET p.name = '' RETURN count(p)")
    ...     return found.value()
    """
    del rows  # what reads the file has read it
    return lambda function: function


def read_code(file: MigrationFile) -> tuple[Migration, tuple[Problem, ...]]:
    """Read a migration in Python with everything that is wrong with it; never raises for what a file holds."""
    reader = _Reader(file)
    code = reader.read()
    place = code.upgrade if code else Place(reader.shown, 1)
    source = (
        "\n" * (place.line - 1) + f"code {file.checksum}"
    )  # in place of a statement: changes when the text does
    start = place.line - 1
    statement = Statement(source[start:], reader.shown, source, start, Kind.CODE)
    header = Header(options=Options(batch=code.rows if code else None))
    return Migration(file, header, (statement,), code=code), tuple(reader.problems)


def depends_of(content: bytes) -> tuple[str, ...]:
    """Return the names in ``DEPENDS``, whose files count to the checksum; none where the text is wrong: reading it tells."""
    if b"DEPENDS" not in content:
        return ()
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    return tuple(name for node in tree.body for name in _depends(node) or ())


def _depends(node: ast.stmt) -> tuple[str, ...] | None:
    """Return the names where a line is ``DEPENDS = ["x.py"]``, None where it is another line or not literal."""
    if not (isinstance(node, (ast.Assign, ast.AnnAssign)) and "DEPENDS" in _assigned(node)):
        return None
    try:
        names: Any = ast.literal_eval(node.value) if node.value else None
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    literal = isinstance(names, (list, tuple)) and all(
        isinstance(each, str) and "\0" not in each for each in names
    )
    return tuple(names) if literal else None


def _assigned(node: ast.stmt) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return {each.id for each in targets if isinstance(each, ast.Name)}


class _Reader:
    """Collects what one file says, and what is wrong with it."""

    def __init__(self, file: MigrationFile) -> None:
        self.shown = printable(file.location)
        self.problems: list[Problem] = []
        self._content = file.content
        self._lines: list[str] = []
        self._found: dict[str, Place] = {}
        self._rows: int | None = None

    def read(self) -> Code | None:
        try:
            self._lines = self._content.decode("utf-8-sig").splitlines()
            tree = ast.parse(self._content)
        except UnicodeDecodeError as error:
            line = self._content.count(b"\n", 0, error.start) + 1
            self._wrong(
                f"Byte {error.start} of this file is not UTF-8.", "Save it as UTF-8.", line, code="GM118"
            )
            return None
        except SyntaxError as error:
            message = f"This Python does not compile: {error.msg}."
            self._wrong(message, "Correct it; nothing was run.", error.lineno or 1, error.offset or 1)
            return None
        except (ValueError, RecursionError, MemoryError) as error:
            self._wrong(f"This Python does not compile: {error}.", "Correct it; nothing was run.", 1)
            return None
        for node in tree.body:
            self._read_line(node)
        self._look_for_drivers(tree)
        if "upgrade" not in self._found and not self.problems:
            self._wrong("This migration has no function `upgrade`.", _FORM, 1, code="GM121")
        if "upgrade" not in self._found:
            return None
        return Code(self._found["upgrade"], self._found.get("downgrade"), self._rows)

    def _read_line(self, node: ast.stmt) -> None:
        named = (
            {node.name} if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) else set()
        )
        for name in sorted((named | _assigned(node)) & {"upgrade", "downgrade"}):
            self._read_function(name, node)
        if "DEPENDS" in _assigned(node) and _depends(node) is None:
            self._wrong("DEPENDS is not a list of names that stands here.", _DEPENDS, node.lineno)

    def _read_function(self, name: str, node: ast.stmt) -> None:
        if name in self._found:
            self._wrong(f"There is a second `{name}`.", "Delete one of them.", node.lineno)
        elif not isinstance(node, ast.FunctionDef) or not _takes_one(node.args) or _yields(node):
            self._wrong(f"`{name}` is not a plain function of one parameter, tx.", _FORM, node.lineno)
        else:
            self._found[name] = self._place(node.lineno, node.col_offset + 1)
            for decorator in node.decorator_list:
                self._read_decorator(name, decorator)

    def _read_decorator(self, name: str, decorator: ast.expr) -> None:
        rows = _rows_of(decorator) if name == "upgrade" else None
        if rows is None:
            line, column = decorator.lineno, decorator.col_offset + 1
            self._wrong("This decorator is not understood.", _BATCHES, line, column)
        else:
            self._rows = rows

    def _look_for_drivers(self, tree: ast.Module) -> None:
        for node in ast.walk(tree):
            names = {getattr(node, "id", None), getattr(node, "attr", None)}
            if isinstance(node, (ast.Name, ast.Attribute)) and names & {
                "GraphDatabase",
                "AsyncGraphDatabase",
            }:
                message = "This migration opens a connection of its own; what it does there is not of its transaction."
                hint = "Use tx.run, which commits together with the history."
                self._wrong(message, hint, node.lineno, node.col_offset + 1, code="GM106")
                return

    def _wrong(self, message: str, hint: str, line: int, column: int = 1, *, code: str = "GM124") -> None:
        self.problems.append(Problem(code, message, hint, self._place(line, column)))

    def _place(self, line: int, column: int) -> Place:
        source = self._lines[line - 1] if 0 < line <= len(self._lines) else None
        return Place(self.shown, max(line, 1), max(column, 1), source)


def _rows_of(decorator: ast.expr) -> int | None:
    """Return the number in ``@batches(rows=500)``; None for any other decorator."""
    if not isinstance(decorator, ast.Call) or decorator.args:
        return None
    given = {each.arg: each.value for each in decorator.keywords}
    rows = given.pop("rows", ast.Constant(_ROWS))
    number = rows.value if isinstance(rows, ast.Constant) else None
    known = ast.unparse(decorator.func).rpartition(".")[2] == "batches" and not given
    return number if known and type(number) is int and number >= 1 else None


def _takes_one(arguments: ast.arguments) -> bool:
    others = (arguments.vararg, arguments.kwarg, *arguments.kwonlyargs, *arguments.defaults)
    return len([*arguments.posonlyargs, *arguments.args]) == 1 and not any(others)


def _yields(function: ast.FunctionDef) -> bool:
    """Whether a function is a generator: called, it would do nothing."""
    return any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in _within(function))


def _within(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            yield child
            yield from _within(child)
