"""The Kubernetes manifests: valid by Kubernetes' own schemas, consistent with each other, the image and the settings.

Where kustomize is installed, the example's rendered output is validated, too.
"""

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands, load_command_class

from tests.marketplace.test_settings import explained_names

FOLDER = Path(settings.BASE_DIR) / "deploy" / "kubernetes"
OVERLAY = FOLDER / "overlays" / "example"
VERSION = "1.34"
Manifest = dict[str, Any]


def load(file: Path) -> list[Manifest]:
    return list(yaml.safe_load_all(file.read_text()))


@cache
def manifests() -> tuple[Manifest, ...]:
    """Return all objects that the kustomizations name, and see that they name every file."""
    found: list[Manifest] = []
    for folder in (FOLDER / "base", OVERLAY):
        named = {one for one in load(folder / "kustomization.yaml")[0]["resources"] if one.endswith(".yaml")}
        assert named | {"kustomization.yaml"} == {file.name for file in folder.glob("*.yaml")}
        found += [manifest for name in sorted(named) for manifest in load(folder / name)]
    return tuple(found)


def of(kind: str) -> dict[str, Manifest]:
    return {one["metadata"]["name"]: one for one in manifests() if one["kind"] == kind}


def pods() -> dict[str, Manifest]:
    """Return the pods' templates by the name of their workload."""
    return {name: one["spec"]["template"] for name, one in (of("Deployment") | of("Job")).items()}


def image(setting: str) -> str:
    """Return what the image's ENV or USER says."""
    [found] = re.findall(rf"^(?:ENV .*|\s+.*|)\b{setting}[= ](\S+)", (FOLDER / "../../Dockerfile").read_text(), re.M)
    return str(found)


def test_every_object_is_valid() -> None:
    for manifest in manifests():
        kubernetes_validate.validate(manifest, VERSION, strict=True)
    assert not of("Secret")


@pytest.mark.skipif(not shutil.which("kustomize"), reason="kustomize is not installed")
def test_the_rendered_example_is_valid() -> None:
    done = subprocess.run(["kustomize", "build", OVERLAY], capture_output=True, text=True, check=True)
    rendered = list(yaml.safe_load_all(done.stdout))
    for manifest in rendered:
        kubernetes_validate.validate(manifest, VERSION, strict=True)
    assert len(rendered) == len(manifests()) + 1  # the ConfigMap
    [config] = [one for one in rendered if one["kind"] == "ConfigMap"]
    assert done.stdout.count(f"name: {config['metadata']['name']}") == 1 + len(pods())
    assert {one["metadata"]["namespace"] for one in rendered if one["kind"] != "Namespace"} == {"marketplace"}


def test_what_the_job_needs_is_applied_with_it() -> None:
    """The guide applies by this label first, and waits for the job."""
    first = {
        one["kind"] for one in manifests() if one["metadata"].get("labels", {}).get("marketplace/phase") == "before"
    }
    [generator] = load(FOLDER / "base" / "kustomization.yaml")[0]["configMapGenerator"]
    assert first == {"Namespace", "ServiceAccount", "NetworkPolicy", "Job"}
    assert generator["options"]["labels"]["marketplace/phase"] == "before"
    assert "-l marketplace/phase=before" in (FOLDER / "README.md").read_text()


@pytest.mark.parametrize("name", ["web", "relay", "consumer", "migrate"])
def test_pods_have_no_rights_and_use_what_there_is(name: str) -> None:
    pod = pods()[name]["spec"]
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsUser"] == int(image("USER"))
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    assert pod["serviceAccountName"] in of("ServiceAccount")
    assert container["image"] == "marketplace"
    assert {"memory"} == set(container["resources"]["limits"])
    assert {"memory", "cpu"} == set(container["resources"]["requests"])
    names = [reference["name"] for source in container["envFrom"] for reference in source.values()]
    assert names == ["marketplace", "marketplace"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}


@pytest.mark.parametrize("name", ["web", "relay", "consumer", "migrate"])
def test_commands_are_those_of_manage_py(name: str) -> None:
    command = " ".join(pods()[name]["spec"]["containers"][0]["command"]).removeprefix("sh -ec ")
    for one in command.split(";"):
        python, manage, verb, *arguments = one.split()
        assert (python, manage) == ("python", "manage.py")
        load_command_class(get_commands()[verb], verb).create_parser("manage.py", verb).parse_args(arguments)


def test_everything_finds_its_pods() -> None:
    labels = {name: pod["metadata"]["labels"] for name, pod in pods().items()}
    for name, one in of("Deployment").items():
        assert one["spec"]["selector"]["matchLabels"].items() <= labels[name].items()
    for name, budget in of("PodDisruptionBudget").items():
        assert budget["spec"]["selector"]["matchLabels"].items() <= labels[name].items()
    assert of("Service")["web"]["spec"]["selector"].items() <= labels["web"].items()
    for name, scaler in of("HorizontalPodAutoscaler").items():
        assert scaler["spec"]["scaleTargetRef"]["name"] == name
        assert "replicas" not in of("Deployment")[name]["spec"], "the autoscaler sets it"
    policy = of("NetworkPolicy")["marketplace"]["spec"]["podSelector"]["matchLabels"]
    assert all(policy.items() <= one.items() for one in labels.values())


def test_ports_and_probes_are_those_of_the_processes() -> None:
    for name in of("Deployment"):
        pod = pods()[name]
        [container] = pod["spec"]["containers"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert str(ports["operators"]) == image("METRICS_PORT") == pod["metadata"]["annotations"]["prometheus.io/port"]
        asked = {one["httpGet"]["path"]: one["httpGet"]["port"] for key, one in container.items() if "Probe" in key}
        assert asked == {
            "/health" if name == "web" else "/live": "http" if name == "web" else "operators",
            "/ready": "operators",
        }
    assert of("Service")["web"]["spec"]["ports"][0]["targetPort"] == "http"
    open_to = {port["port"] for rule in of("NetworkPolicy")["marketplace"]["spec"]["ingress"] for port in rule["ports"]}
    assert open_to == {8000, int(image("METRICS_PORT"))}


def test_settings_have_names_that_exist() -> None:
    base = (FOLDER / "base" / "settings.env").read_text().splitlines()
    [generator] = load(OVERLAY / "kustomization.yaml")[0]["configMapGenerator"]
    lines = [line for line in (*base, *generator["literals"]) if not line.startswith("#")]
    told = re.findall(r"--from-literal=(\w+)|`([A-Z_]+)`", (FOLDER / "README.md").read_text())
    names = {line.partition("=")[0] for line in lines} | {"".join(pair) for pair in told}
    assert names <= set(explained_names())
    assert {"SECRET_KEY", "MONGODB_URL", "DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS"} <= names
    assert "localhost" in dict(line.split("=", 1) for line in lines)["ALLOWED_HOSTS"]


def test_consumers_are_scaled_by_the_metric_that_the_adapter_makes() -> None:
    [rule] = load(FOLDER / "prometheus-adapter.yaml")[0]["rules"]["external"]
    [metric] = of("HorizontalPodAutoscaler")["consumer"]["spec"]["metrics"]
    assert metric["external"]["metric"]["name"] == rule["name"]["as"] == rule["seriesQuery"].partition("{")[0]
    parser = load_command_class("marketplace", "create_topics").create_parser("manage.py", "create_topics")
    assert of("HorizontalPodAutoscaler")["consumer"]["spec"]["maxReplicas"] <= parser.get_default("partitions")
