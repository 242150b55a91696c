"""The deployment files, as far as they can be judged without a cluster or a container engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.cli import _app
from bot.config import Settings

ROOT = Path(__file__).resolve().parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
OURS = ("bot", "worker", "migrate")
MODELS = {
    "Namespace": "V1Namespace",
    "ServiceAccount": "V1ServiceAccount",
    "ConfigMap": "V1ConfigMap",
    "Secret": "V1Secret",
    "Deployment": "V1Deployment",
    "Job": "V1Job",
    "PodDisruptionBudget": "V1PodDisruptionBudget",
    "NetworkPolicy": "V1NetworkPolicy",
}


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(KUBERNETES.glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            yield path.name, document


RESOURCES = [(name, d) for name, d in documents() if d["kind"] != "Kustomization"]
PODS = [
    (d["metadata"]["name"], d["spec"]["template"]["spec"])
    for _, d in RESOURCES
    if d["kind"] in {"Deployment", "Job"}
]


def variables() -> set[str]:
    found = set()
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        found.add(alias.choices[0] if hasattr(alias, "choices") else f"BOT_{name.upper()}")  # type: ignore[union-attr]
    return {str(one) for one in found}


def commands() -> set[str]:
    app = _app([])
    return {c.name or c.callback.__name__ for c in app.registered_commands if c.callback}


def unknown(model: Any, given: Any, at: str = "") -> Iterator[str]:
    """Keys of the document that the API's own model does not know."""
    from kubernetes import client

    if not isinstance(given, dict):
        return
    known = {json: python for python, json in model.attribute_map.items()}
    for key, value in given.items():
        if key not in known:
            yield f"{at}.{key}"
            continue
        kind = model.openapi_types[known[key]]
        inner = re.fullmatch(r"(?:list\[)?(V\d\w+)\]?", kind)
        if inner:
            for item in value if isinstance(value, list) else [value]:
                yield from unknown(getattr(client, inner.group(1)), item, f"{at}.{key}")


@pytest.mark.parametrize(
    ("file", "document"), RESOURCES, ids=lambda v: v if isinstance(v, str) else v["kind"]
)
def test_every_resource_is_one_of_the_kubernetes_api(file: str, document: dict[str, Any]) -> None:
    client = pytest.importorskip("kubernetes").client
    model = getattr(client, MODELS[document["kind"]])
    assert list(unknown(model, document)) == []
    answer = type("Answer", (), {"data": __import__("json").dumps(document)})()
    read = client.ApiClient().deserialize(answer, MODELS[document["kind"]])
    assert read.metadata.name


def test_the_kustomization_lists_every_file_but_the_example() -> None:
    listed = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["resources"]
    there = {path.name for path in KUBERNETES.glob("*.yaml")}
    assert set(listed) == there - {"kustomization.yaml", "secret.example.yaml"}


@pytest.mark.parametrize(("name", "pod"), PODS, ids=lambda v: v if isinstance(v, str) else "")
def test_pods_have_no_rights_and_a_bounded_size(name: str, pod: dict[str, Any]) -> None:
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = pod["containers"]
    security = container["securityContext"]
    assert security["readOnlyRootFilesystem"] is True
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert container["resources"]["limits"]["memory"]
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    assert {m["name"] for m in container["volumeMounts"]} == {v["name"] for v in pod["volumes"]}
    assert container["args"][0] in commands()
    assert {ref for source in container["envFrom"] for ref in source} == {
        "configMapRef",
        "secretRef",
    }
    if name != "migrate":
        assert container["livenessProbe"]["exec"]["command"] == [
            "incident-responder",
            "doctor",
            "--alive",
        ]
        assert pod["terminationGracePeriodSeconds"] > 20


def test_selectors_lead_to_pods() -> None:
    labels = {
        d["metadata"]["name"]: d["spec"]["template"]["metadata"]["labels"]
        for _, d in RESOURCES
        if d["kind"] in {"Deployment", "Job"}
    }
    for _, document in RESOURCES:
        kind, spec = document["kind"], document.get("spec", {})
        if kind in {"Deployment", "PodDisruptionBudget"}:
            wanted = spec["selector"]["matchLabels"]
            assert labels[document["metadata"]["name"]].items() >= wanted.items()
        if kind == "PodDisruptionBudget":
            replicas = {
                d["metadata"]["name"]: d["spec"].get("replicas")
                for _, d in RESOURCES
                if d["kind"] == "Deployment"
            }
            assert spec["minAvailable"] < replicas[document["metadata"]["name"]]
        if kind == "NetworkPolicy":
            assert all(
                found.items() >= spec["podSelector"]["matchLabels"].items()
                for found in labels.values()
            )


def test_no_secret_has_a_value_and_every_key_is_a_variable_of_the_product() -> None:
    for _, document in RESOURCES:
        if document["kind"] == "Secret":
            assert set(document["stringData"].values()) == {""}
            assert set(document["stringData"]) <= variables()
        if document["kind"] == "ConfigMap" and document["metadata"]["name"] == "incident-responder":
            assert set(document["data"]) <= variables()
            assert not {key for key in document["data"] if "TOKEN" in key or "URL" in key}


def test_compose_runs_our_commands_without_rights() -> None:
    for name in OURS:
        service = COMPOSE["services"][name]
        assert service["command"][0] in commands()
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["user"] == "10001:10001"
        assert set(service["environment"]) <= variables()


def test_compose_refers_only_to_what_it_defines() -> None:
    services, volumes = COMPOSE["services"], set(COMPOSE["volumes"])
    for service in services.values():
        for other, how in service.get("depends_on", {}).items():
            assert other in services
            healthy = how["condition"] == "service_healthy"
            assert not healthy or "test" in services[other]["healthcheck"]
        named = {v.split(":")[0] for v in service.get("volumes", ())}
        assert {v for v in named if not v.startswith((".", "/"))} <= volumes
    text = (ROOT / "deploy" / "compose.yaml").read_text()
    assert re.findall(r"password\w*:\s*[\"']?[A-Za-z0-9]", text, re.IGNORECASE) == []


def test_the_settings_of_compose_are_accepted() -> None:
    from bot.config import require_executor

    given = COMPOSE["services"]["worker"]["environment"]
    url = given["BOT_DATABASE_URL"].replace(
        "${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD in .env}", "x"
    )
    settings = Settings(
        queue=given["BOT_QUEUE"], database_url=url, broker_url=given["BOT_BROKER_URL"]
    )
    require_executor(settings)


def test_the_image_has_what_the_topologies_need() -> None:
    lock = (ROOT / "requirements.txt").read_text()
    for name in ("celery", "redis", "psycopg-binary"):
        assert re.search(rf"^{name}==", lock, re.MULTILINE)
    assert "USER 10001" in (ROOT / "Dockerfile").read_text()
