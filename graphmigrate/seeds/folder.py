"""The folder ``seeds/``: which seeds there are, in which order they load, and which ones were asked for."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, NamedTuple

from graphmigrate.cypher.lexer import normalise_bytes
from graphmigrate.errors import Place, Problem, raise_all
from graphmigrate.seeds import frontmatter
from graphmigrate.seeds.files import SeedFileError, did_you_mean, open_inside
from graphmigrate.seeds.frontmatter import SeedFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


SUFFIX = ".cypher.j2"
_NAME = re.compile(r"\w[\w.-]*")
# Endings of Cypher and Jinja files: one beside the seeds was meant to be loaded.
_MEANT = re.compile(r"\.(cypher|cql|cyp|neo4j|j2|jinja2?|tpl)(?=\.|$)", re.IGNORECASE)


class SeedFolder(NamedTuple):
    """Every seed of the folder by name."""

    path: Path
    seeds: dict[str, SeedFile]


def decode(content: bytes, file: str) -> str:
    """Return the text of a template; raises SeedFileError (GM560) for anything but UTF-8 text."""
    clean = normalise_bytes(content)
    try:
        text = clean.decode()
    except UnicodeDecodeError as error:
        line = clean.count(b"\n", 0, error.start) + 1
        message = "This file is not UTF-8 text."
        raise SeedFileError(message, hint="Save it as UTF-8.", place=Place(file, line)) from None
    if "\0" in text:
        raise SeedFileError(
            "This file is binary.", place=Place(file, text.count("\n", 0, text.index("\0")) + 1)
        )
    return text


def collect(path: Path) -> SeedFolder:
    """Read the names and front matter of all seeds; raise SeedFileError with everything that is wrong (GM560, GM561, GM563)."""
    if not path.is_dir():
        raise SeedFileError(
            f"There is no folder {str(path)!r} with seeds.",
            hint="Run 'graphmigrate init', or name the folder with --seeds.",
        )
    seeds: dict[str, SeedFile] = {}
    problems: list[Problem] = []
    unread: set[str] = set()  # their own problem is told, not that they were missing
    for entry in sorted(path.iterdir(), key=lambda each: each.name):
        finding = _misnamed(entry)
        if finding:
            problems.append(finding)
        elif entry.name.endswith(SUFFIX) and not entry.name.startswith(("_", ".")):
            try:
                seed = _read(path, entry)
                seeds[seed.name] = seed
            except SeedFileError as error:
                place = error.place or Place(str(entry), 1)
                problems += error.problems or [Problem(error.error_code, error.message, error.hint, place)]
                unread.add(_name_of(entry))
    problems.extend(_unknown_dependencies(seeds, unread))
    code = problems[0].code if problems else None
    raise_all(problems, SeedFileError, f"{{count}} problems in {path}.", code=code)
    return SeedFolder(path, seeds)


def _misnamed(entry: Path) -> Problem | None:
    name, place = entry.name, Place(str(entry), 1)
    is_seed, meant = name.endswith(SUFFIX), _MEANT.search(name)
    if name.startswith(("_", ".")) or not (is_seed or meant) or (entry.is_dir() and not is_seed):
        return None
    if entry.is_dir():
        return Problem("GM560", f"{name!r} is a folder, not a seed.", "Rename it or move it away.", place)
    stem = name.removesuffix(SUFFIX) if is_seed or not meant else name[: meant.start()]
    better = re.sub(r"[^\w.-]+", "_", stem).strip("._-") or "seed"
    if not is_seed:
        message = f"{name!r} looks like a seed, but would never be loaded."
        hint = (
            f"Rename it to {better}{SUFFIX}; what other seeds include begins with '_' or is in a subfolder."
        )
        return Problem("GM560", message, hint, place)
    if _NAME.fullmatch(stem):
        return None
    return Problem(
        "GM560", f"{name!r} is not a good name for a seed.", f"Rename it to {better}{SUFFIX}", place
    )


def _name_of(entry: Path) -> str:
    return unicodedata.normalize("NFC", entry.name.removesuffix(SUFFIX))


def _read(root: Path, entry: Path) -> SeedFile:
    with open_inside(root, entry.name) as stream:
        content = stream.read()
    text = decode(content, str(entry))
    checksum = hashlib.sha256(normalise_bytes(content)).hexdigest()
    return SeedFile(_name_of(entry), str(entry), text, checksum, frontmatter.read(text, str(entry)))


def _unknown_dependencies(seeds: dict[str, SeedFile], unread: set[str]) -> Iterable[Problem]:
    for seed in seeds.values():
        for name in seed.front.depends:
            if name not in seeds and name not in unread:
                hint = did_you_mean(name, seeds, "seeds")
                place = _line_of(seed, name)
                yield Problem(
                    "GM563", f"{seed.name!r} depends on {name!r}, which is not a seed here.", hint, place
                )


def _line_of(seed: SeedFile, word: str) -> Place:
    """Find the front matter line that says ``word``."""
    for number, line in enumerate(seed.text.split("\n"), 1):
        found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", line)
        if found and number > 1:
            return Place(seed.file, number, found.start() + 1, line)
    return Place(seed.file, 1)


def in_order(folder: SeedFolder, names: Iterable[str]) -> tuple[SeedFile, ...]:
    """Return these seeds and all they depend on: dependencies first, else by name. Raises SeedFileError (GM563) for a cycle."""
    needed: dict[str, tuple[str, ...]] = {}
    found = list(names)
    while found:
        name = found.pop()
        if name not in needed:
            needed[name] = folder.seeds[name].front.depends
            found += needed[name]
    sorter = TopologicalSorter(needed)
    try:
        sorter.prepare()
    except CycleError as error:
        cycle = error.args[1][::-1]
        raise SeedFileError(
            f"The seeds depend on each other in a circle: {' -> '.join(cycle)}.",
            hint="Remove one of these from 'depends'.",
            place=_line_of(folder.seeds[cycle[-2]], cycle[-1]),
            code="GM563",
        ) from None
    order: list[SeedFile] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += [folder.seeds[name] for name in ready]
        sorter.done(*ready)
    return tuple(order)


def select(folder: SeedFolder, names: Sequence[str], profile: str | None) -> tuple[SeedFile, ...]:
    """Choose seeds, with what they depend on, in loading order.

    Names choose those seeds. A profile chooses the seeds that name it. With neither, the seeds that name no
    profile are chosen: what is meant for some places only is loaded only where somebody says so. Raises
    SeedFileError (GM563, GM567).
    """
    for name in names:
        if name not in folder.seeds:
            hint = did_you_mean(name, folder.seeds, "seeds")
            raise SeedFileError(f"There is no seed {name!r} in {folder.path}.", hint=hint, code="GM563")
    profiles = {each for seed in folder.seeds.values() for each in seed.front.profiles}
    if profile is not None and profile not in profiles:
        hint = did_you_mean(profile, profiles, "profiles")
        raise SeedFileError(f"No seed names the profile {profile!r}.", hint=hint, code="GM567")
    chosen = list(names) or [
        seed.name
        for seed in folder.seeds.values()
        if (profile in seed.front.profiles if profile else not seed.front.profiles)
    ]
    if names and profile:
        _check_in_profile(folder, names, profile)
    if not chosen and folder.seeds:
        raise SeedFileError(
            "Every seed here belongs to a profile, and none was chosen.",
            hint=f"Add --profile {sorted(profiles)[0]} (profiles: {', '.join(sorted(profiles))}).",
            code="GM567",
        )
    return in_order(folder, chosen)


def _check_in_profile(folder: SeedFolder, names: Sequence[str], profile: str) -> None:
    for name in names:
        belongs = folder.seeds[name].front.profiles
        if belongs and profile not in belongs:
            raise SeedFileError(
                f"The seed {name!r} does not belong to the profile {profile!r}.",
                hint=f"Its profiles: {', '.join(belongs)}. Leave out --profile to load it all the same.",
                code="GM567",
            )
