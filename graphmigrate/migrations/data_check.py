"""Check before the first statement whether the data allow the constraints that a plan makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from graphmigrate.cypher.lexer import TokenKind, nesting, unquoted
from graphmigrate.cypher.model import Kind
from graphmigrate.cypher.reader import significant
from graphmigrate.database.violations import Wanted, used_labels, violations
from graphmigrate.errors import Problem, Severity, UsageError
from graphmigrate.migrations.checks import may_be_skipped
from graphmigrate.schema.model import describe
from graphmigrate.settings.values import word_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from graphmigrate.cypher.lexer import Token
    from graphmigrate.cypher.model import Statement
    from graphmigrate.database.connection import Database
    from graphmigrate.migrations.plan import Task
    from graphmigrate.schema.catalogue import Catalogue
    from graphmigrate.schema.model import SchemaObject

_CREATES = {"CREATE", "MERGE", "INSERT"}
_CHANGES = {"SET", "REMOVE"}
_WRITES = _CREATES | _CHANGES
_NAMES = {TokenKind.WORD, TokenKind.NAME}
_DELETES = {"DELETE", "CALL"}  # a procedure may do anything
_OTHER_CLAUSES = {
    *("MATCH", "OPTIONAL", "WITH", "WHERE", "RETURN", "UNWIND", "FOREACH", "UNION", "ON", "LOAD", "ORDER"),
    *("LIMIT", "SKIP", "OFFSET", "FILTER", "FINISH", "LET", "FOR", "NEXT", "YIELD", "USE"),
}


def check_data(
    database: Database, tasks: Sequence[Task], catalogue: Catalogue, how: str | None = None
) -> list[Problem]:
    """Return what in the data stands in the way of the planned constraints (GM508), and what was not checked (GM214).

    A constraint that is in the ``catalogue`` is left out. So is one whose data an earlier statement of the plan may change:
    what it will find is not known yet, and a warning says so. ``how`` wins over the setting ``check_data``.
    """
    try:
        how = word_of(how or database.settings.check_data, ("auto", "always", "never"))
    except ValueError as error:
        raise UsageError(f"check_data must be {error}, not {how!r}.", code="GM158") from None
    planned = [] if how == "never" else list(_planned(tasks, catalogue))
    if not planned:
        return []
    used = used_labels(database)
    changing = _Changing()
    wanted, problems = [], []
    for each, earlier in planned:
        if used is not None and (each.target.entity, each.target.labels[0]) not in used:
            continue
        by = changing.first(earlier, each.target)
        if by is None:
            wanted.append(each)
        else:
            problems.append(_left_out(each, by))
    problems += violations(database, wanted, limited=how == "auto")
    conditional = {task.migration.file.location for task in tasks if may_be_skipped(task)}
    return [_eased(each) if each.place and each.place.file in conditional else each for each in problems]


def _eased(problem: Problem) -> Problem:
    """Return a finding as a warning: a query decides whether its migration runs at all."""
    return problem._replace(severity=Severity.WARNING)


def _planned(tasks: Sequence[Task], catalogue: Catalogue) -> Iterator[tuple[Wanted, list[Statement]]]:
    """Yield each constraint that is to be made, with the statements that run before it."""
    earlier: list[Statement] = []
    for task in tasks:
        for segment in task.segments:
            if segment.kind is not Kind.SCHEMA:
                earlier = [*earlier, *segment.statements]
                continue
            for statement, action in zip(segment.statements, segment.actions, strict=True):
                target = action.target
                if target and target.type.is_constraint and not catalogue.find(target):
                    yield Wanted(target, statement.place), earlier


def _left_out(wanted: Wanted, by: Statement) -> Problem:
    return Problem(
        "GM214",
        f"Not checked whether the data allow {describe(wanted.target)}: a statement that runs before it may change them, "
        f"{by.place}.",
        "Where they do not, the migration stops at this statement, and goes on from there once the data are fixed.",
        wanted.place,
        Severity.WARNING,
    )


class Effect(NamedTuple):
    """What a data statement may change.

    ``created`` are the names in what it creates; ``changed`` those of what it sets or removes, properties too. ``anything``:
    it deletes, or what it changes cannot be read from its text.
    """

    anything: bool
    created: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()

    def touches(self, target: SchemaObject) -> bool:
        """Whether the data that a constraint is about may be others afterwards."""
        label = target.labels[0]
        return (
            self.anything
            or label in self.created
            or label in self.changed
            or not self.changed.isdisjoint(target.properties)
        )


class _Changing:
    """Reads the effect of each statement once."""

    def __init__(self) -> None:
        self._effects: dict[int, Effect] = {}

    def first(self, statements: Sequence[Statement], target: SchemaObject) -> Statement | None:
        """Return the first of these statements that may change the data of a constraint."""
        return next((each for each in statements if self._effect(each).touches(target)), None)

    def _effect(self, statement: Statement) -> Effect:
        known = self._effects.get(id(statement))
        if known is None:
            no_data = statement.kind in {Kind.SCHEMA, Kind.SYSTEM}
            anything = statement.kind is Kind.CODE
            known = Effect(anything) if no_data or anything else effect_of(statement.text)
            self._effects[id(statement)] = known
        return known


def effect_of(text: str) -> Effect:
    """Return what a statement may change, read from its clauses; in doubt ``anything``.

    >>> sorted(effect_of("MATCH (c:Customer) SET c.seen = 1").changed)
    ['c', 'seen']
    >>> effect_of("MATCH (c:Customer) SET c = {}").anything
    True
    """
    words = significant(text)
    created: set[str] = set()
    changed: set[str] = set()
    clause, depth, left_side = "", 0, False
    for at, token in enumerate(words):
        word = _clause_word(words, at)
        if _may_change_anything(words, at, word) or (word and depth > 0 and clause in _WRITES):
            return Effect(True)  # the latter is a subquery as a value: what follows it is not read here
        if word:
            clause, depth, left_side = word, 0, word in _CHANGES
            continue
        depth += nesting(token)
        if clause in _CHANGES and depth == 0 and token.text in {",", "="}:
            if token.text == "=" and left_side and not _names_property(words, at):
                return Effect(True)
            left_side = token.text == ","  # after an equals sign stands what is only read
        if token.kind in _NAMES and (clause in _CREATES or left_side):
            (created if clause in _CREATES else changed).add(unquoted(token))
    return Effect("\\" in text, frozenset(created), frozenset(changed))


def _may_change_anything(words: Sequence[Token], at: int, word: str) -> bool:
    """Whether a token deletes, calls a procedure or begins a dynamic label."""
    following = words[at + 1].text if at + 1 < len(words) else ""
    is_subquery = word == "CALL" and following in {"{", "("}
    return (word in _DELETES and not is_subquery) or (words[at].text == "$" and following == "(")


def _clause_word(words: Sequence[Token], at: int) -> str:
    """Return the word that begins a clause, in capitals; empty for any other token, a name among them."""
    token = words[at]
    word = token.text.upper() if token.kind is TokenKind.WORD else ""
    if word not in _WRITES | _DELETES | _OTHER_CLAUSES:
        return ""
    before = words[at - 1].text if at else ""
    after = words[at + 1].text if at + 1 < len(words) else ""
    return "" if before in {".", ":"} or after in {":", "."} else word


def _names_property(words: Sequence[Token], at: int) -> bool:
    """Whether ``n.name`` stands before an equals sign, rather than ``n``, ``n +`` or ``n[key]``."""
    return at >= 2 and words[at - 1].kind in _NAMES and words[at - 2].text == "."
