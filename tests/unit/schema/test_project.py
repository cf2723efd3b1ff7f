"""The shipped project: its migrations say what docs/model.md says, on either edition."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

from graphmigrate.cypher.reader import read_clauses, significant
from graphmigrate.cypher.statements import split
from graphmigrate.schema.catalogue import Catalogue
from graphmigrate.schema.compare import apply, conflict
from graphmigrate.schema.model import ObjectType
from graphmigrate.schema.reader import read_ddl
from graphmigrate.seeds.shapes import is_countable

ROOT = Path(__file__).parents[3]
LABELS = {"Project", "Dataset", "Model", "Experiment", "Metric"}


def statements(path):
    return split(path.read_text(encoding="utf-8"), path.name)


FILES = {path.name.partition("__")[0]: path for path in sorted((ROOT / "migrations").glob("V*.cypher"))}
ACTIONS = {version: [read_ddl(each.text) for each in statements(path)] for version, path in FILES.items()}


def described():
    """Label -> property -> (type, required) as docs/model.md has it."""
    page = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (\w+)$(.+?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    row = re.compile(r"^\| `(\w+)` \| ([^|]+) \| (yes)? *\|", re.MULTILINE)
    return {label: {p: (t, r == "yes") for p, t, r in row.findall(body)} for label, body in sections}


def test_every_statement_is_named_guarded_and_in_nobody_s_way():
    catalogue = Catalogue()
    for action in [action for actions in ACTIONS.values() for action in actions]:
        assert action is not None
        assert (action.verb, action.guarded) == ("create", True)
        assert action.name is not None
        assert conflict(action, catalogue) is None
        assert set(action.target.labels) <= LABELS
        assert action.target.type is not ObjectType.VECTOR
        catalogue = apply([action], catalogue)
    assert len(catalogue.names()) == sum(map(len, ACTIONS.values()))


def test_what_needs_enterprise_stands_alone_under_its_header():
    for version, actions in ACTIONS.items():
        first = FILES[version].read_text(encoding="utf-8").splitlines()[0]
        enterprise = {action.target.type.needs_enterprise for action in actions}
        assert enterprise == {first == "// assume that edition is enterprise"}


def test_constraints_are_what_the_model_page_says():
    targets = [action.target for actions in ACTIONS.values() for action in actions]
    of = {kind: [each for each in targets if each.type is kind] for kind in ObjectType}
    model = described()
    assert set(model) == LABELS
    assert {(each.labels, each.properties) for each in of[ObjectType.UNIQUENESS]} == {
        ((label,), ("id",)) for label in LABELS
    }
    typed = {
        (each.labels[0], each.properties[0]): each.property_type for each in of[ObjectType.PROPERTY_TYPE]
    }
    assert typed == {
        (label, name): type_ for label, all_ in model.items() for name, (type_, _) in all_.items()
    }
    required = {(each.labels[0], each.properties[0]) for each in of[ObjectType.EXISTENCE]}
    assert required == {
        (label, name) for label, all_ in model.items() for name, (_, yes) in all_.items() if yes
    }


def test_the_sample_data_is_sound():
    data = ROOT / "seeds" / "data"
    rows = {
        name: list(csv.DictReader((data / f"{name}.csv").open(encoding="utf-8", newline="")))
        for name in ("projects", "datasets", "experiments", "metrics")
    }
    rows["models"] = [json.loads(line) for line in (data / "models.jsonl").open(encoding="utf-8")]
    ids = {name: {row["id"] for row in each} for name, each in rows.items()}
    assert all(len(ids[name]) == len(each) for name, each in rows.items())
    assert sum(map(len, rows.values())) < 400
    by_id = {name: {row["id"]: row for row in each} for name, each in rows.items()}
    for row in [*rows["projects"], *rows["datasets"], *rows["models"], *rows["experiments"]]:
        assert isinstance(json.loads(row["metadata"]), dict)
    for row in rows["models"]:
        epochs = row["history_epoch"]
        assert epochs == list(range(1, len(epochs) + 1))
        assert len(epochs) == len(row["history_training_loss"]) == len(row["history_validation_loss"])
        assert set(row["project_ids"]) <= ids["projects"]
        assert set(row["dataset_ids"]) <= ids["datasets"]
    for row in rows["experiments"]:
        model = by_id["models"][row["model_id"]]
        assert bool(row["project_id"]) == (len(model["project_ids"]) > 1)
        assert bool(row["dataset_id"]) == (len(model["dataset_ids"]) > 1)
        assert row["project_id"] in {"", *model["project_ids"]}
        assert row["dataset_id"] in {"", *model["dataset_ids"]}
        project = by_id["projects"][row["project_id"] or model["project_ids"][0]]
        registered = max(project["created_at"], model["created_at"])
        assert registered < row["started_at"] < row["ended_at"], row["id"]
    for row in rows["metrics"]:
        assert row["id"] == f"{row['experiment_id']}:{row['name']}"
        assert row["recorded_at"] == by_id["experiments"][row["experiment_id"]]["ended_at"]
    value = {row["id"]: float(row["value"]) for row in rows["metrics"]}
    for name in {row["experiment_id"] for row in rows["metrics"] if row["name"] == "precision"}:
        precision, recall, f1 = (value[f"{name}:{each}"] for each in ("precision", "recall", "f1"))
        assert f1 == round(2 * precision * recall / (precision + recall), 4), name
    assert {"accuracy", "loss", "f1"} <= {row["name"] for row in rows["metrics"]}


def test_made_things_follow_one_another_at_every_scale():
    """A date that is counted from another node's cannot precede it; one made of the row's number did, at scale=1000."""
    text = (ROOT / "seeds" / "scale.cypher.j2").read_text(encoding="utf-8")
    dates = re.findall(r"(\w)\.(?:created_at|started_at|ended_at) = (\w+)", text)
    assert dates == [("p", "datetime"), ("d", "p"), ("m", "d"), ("e", "m"), ("e", "m")]


def test_a_sweep_of_a_model_that_is_not_there_is_told():
    """Rows are counted, and the model is all that they look for: a WITH, or another MATCH, would end that in silence."""
    text = (ROOT / "seeds" / "sweep.cypher.j2").read_text(encoding="utf-8")
    body = significant(text.partition("%}")[2].rpartition(";")[0])
    assert is_countable(body)
    clauses = read_clauses(body)
    looked_up = ["".join(token.text for token in each.tokens) for each in clauses if each.name == "MATCH"]
    assert looked_up == ["(m:Model{id:{{model}}})"]
