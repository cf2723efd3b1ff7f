"""The graph that loaders are compared on: machine-learning metadata, 200,000 nodes and 400,000 relationships."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

NODES, RELATIONSHIPS = 200_000, 400_000
CONSTRAINTS = tuple(
    f"CREATE CONSTRAINT {label.lower()}_id FOR (n:{label}) REQUIRE n.id IS UNIQUE"
    for label in ("Project", "Dataset", "Model", "Experiment", "Metric")
)


@dataclass(frozen=True)
class Part:
    """One file and the statement that loads it: ``body`` names columns as ``<name>``, and its verb ``VERB``."""

    file: str
    body: str
    size: int
    row: Callable[[int], tuple[object, ...]]

    @property
    def columns(self) -> list[str]:
        """Return the columns in the order of their first use."""
        return list(
            dict.fromkeys(piece.partition(">")[0] for piece in self.body.split("<")[1:] if ">" in piece)
        )

    def statement(self, verb: str, values: Mapping[str, str]) -> str:
        """Write the statement with these expressions for the columns."""
        text = self.body.replace("VERB", verb)
        for name, value in values.items():
            text = text.replace(f"<{name}>", value)
        return text


def _nodes(
    label: str, file: str, size: int, properties: str, row: Callable[[int], tuple[object, ...]]
) -> Part:
    return Part(file, f"VERB (n:{label} {{id: <id>}}) SET {properties}", size, row)


def _pairs(
    name: str, ends: tuple[str, str], type_: str, size: int, row: Callable[[int], tuple[object, ...]]
) -> Part:
    body = f"MATCH (a:{ends[0]} {{id: <a>}}) MATCH (b:{ends[1]} {{id: <b>}}) VERB (a)-[:{type_}]->(b)"
    return Part(f"{name}.csv", body, size, row)


PROJECTS, DATASETS, MODELS, EXPERIMENTS, METRICS = 1_000, 9_000, 20_000, 50_000, 120_000
PARTS = (
    _nodes(
        "Project",
        "projects.csv",
        PROJECTS,
        "n.name = <name>, n.domain = <domain>",
        lambda i: (f"prj-{i}", f"Project {i}", ("vision", "speech", "fraud")[i % 3]),
    ),
    _nodes(
        "Dataset",
        "datasets.csv",
        DATASETS,
        "n.name = <name>, n.modality = <modality>, n.row_count = toInteger(<rows>)",
        lambda i: (f"ds-{i}", f"Dataset {i}", ("image", "text", "audio")[i % 3], i * 37),
    ),
    _nodes(
        "Model",
        "models.csv",
        MODELS,
        "n.name = <name>, n.framework = <framework>, n.parameter_count = toInteger(<size>)",
        lambda i: (f"mdl-{i}", f"Model {i}", ("PyTorch", "JAX")[i % 2], i * 1_000_003),
    ),
    _nodes(
        "Experiment",
        "experiments.csv",
        EXPERIMENTS,
        "n.name = <name>, n.status = <status>, n.started_at = datetime(<started>), n.learning_rate = toFloat(<rate>)",
        lambda i: (
            f"exp-{i}",
            f'Experiment {i}, "baseline"',
            "failed" if i % 9 == 0 else "completed",
            f"2026-{i % 12 + 1:02}-{i % 28 + 1:02}T{i % 24:02}:00:00Z",
            (i % 100 + 1) / 1e4,
        ),
    ),
    _nodes(
        "Metric",
        "metrics.csv",
        METRICS,
        "n.name = <name>, n.value = toFloat(<value>), n.split = <split>",
        lambda i: (
            f"exp-{i % EXPERIMENTS}:{i // EXPERIMENTS}",
            ("accuracy", "loss", "auc")[i % 3],
            i % 997 / 997,
            "test",
        ),
    ),
    _pairs(
        "has_dataset",
        ("Project", "Dataset"),
        "HAS",
        60_000,
        lambda i: (f"prj-{i // 60}", f"ds-{i * 7 % DATASETS}"),
    ),
    _pairs(
        "has_model",
        ("Project", "Model"),
        "HAS",
        80_000,
        lambda i: (f"prj-{i // 80}", f"mdl-{i * 7 % MODELS}"),
    ),
    _pairs(
        "trained_on",
        ("Model", "Dataset"),
        "TRAINED_ON",
        90_000,
        lambda i: (f"mdl-{i * 2 // 9}", f"ds-{i * 7 % DATASETS}"),
    ),
    _pairs(
        "run", ("Experiment", "Model"), "RUN", EXPERIMENTS, lambda i: (f"exp-{i}", f"mdl-{i * 11 % MODELS}")
    ),
    _pairs(
        "has_metric",
        ("Experiment", "Metric"),
        "HAS",
        METRICS,
        lambda i: (f"exp-{i % EXPERIMENTS}", f"exp-{i % EXPERIMENTS}:{i // EXPERIMENTS}"),
    ),
)


def write_data(folder: Path, times: int = 1) -> None:
    """Write the files; ``times`` repeats the rows of each."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        with (folder / part.file).open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(part.columns)
            writer.writerows(part.row(number) for _ in range(times) for number in range(part.size))


def seed_text(verb: str, folder: str = "") -> str:
    """Return the seed that loads the files as the hand-written loaders do."""
    return "".join(seed_blocks(verb, folder))


def seed_blocks(verb: str, folder: str) -> Iterator[str]:
    """Yield one row block a file."""
    for part in PARTS:
        body = part.statement(verb, {name: f"row.{name}" for name in part.columns})
        yield f"{{% unwind row in csv('{folder}{part.file}') %}}\n{body};\n{{% endunwind %}}\n"
