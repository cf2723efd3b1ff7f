"""The manifests of deploy/kubernetes, held against Kubernetes' own schemas."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from graphmigrate.cli.entrypoint import entrypoint

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
MANIFESTS = {
    path.name: YAML(typ="safe", pure=True).load(path.read_text()) for path in sorted(FOLDER.glob("*.yaml"))
}
VERSIONS = ("1.29", kubernetes_validate.latest_version())


def validate(manifest: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", MANIFESTS)
def test_the_schema_holds(name: str, version: str) -> None:
    validate(MANIFESTS[name], version)


def test_a_misspelled_field_would_be_found() -> None:
    wrong = deepcopy(MANIFESTS["job.yaml"])
    wrong["spec"]["backOffLimit"] = wrong["spec"].pop("backoffLimit")
    with pytest.raises(kubernetes_validate.ValidationError, match="backOffLimit"):
        validate(wrong, VERSIONS[0])


def containers() -> Iterator[Any]:
    for name in ("job.yaml", "deployment.yaml"):
        pod = MANIFESTS[name]["spec"]["template"]["spec"]
        for each in (*pod.get("initContainers", ()), *pod["containers"]):
            yield pytest.param(pod, each, id=f"{name}-{each['name']}")


@pytest.mark.parametrize(("pod", "container"), [*containers()])
def test_pods_are_restricted_and_read_the_password_from_a_file(
    pod: dict[str, Any], container: dict[str, Any]
) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert not container["image"].endswith(":latest")
    variables = {each["name"]: each["value"] for each in container["env"]}
    assert "NEO4J_PASSWORD" not in variables
    mounted = {each["mountPath"] for each in container["volumeMounts"]}
    assert str(Path(variables["NEO4J_PASSWORD_FILE"]).parent) in mounted
    assert {each["secret"]["defaultMode"] for each in pod["volumes"]} == {0o440}


def test_the_commands_are_understood() -> None:
    for each in (param.values[1] for param in containers()):
        if each["name"] == "migrate":
            command, *words = each["args"]
            assert command == "entrypoint"
            given = entrypoint.make_context(command, words).params
            assert given["timeout"] == 300
            assert given["words"] == ()
