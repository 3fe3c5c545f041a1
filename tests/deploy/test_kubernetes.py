"""The manifests: each is valid, and they agree with one another and with the product."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped] # it has no types
import pytest
import yaml
from dotenv import dotenv_values

from custom_handler import launch_plan, metrics, processes, provider, routes, settings
from custom_handler.settings import Setting
from tests.support.program import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
KUSTOMIZATION: Mapping[str, Any] = yaml.safe_load((FOLDER / "kustomization.yaml").read_text("utf-8"))
#: The oldest and the newest version that the manifests are for; the validator has the schemas of those between.
VERSIONS = ("1.29", "1.34")
KNOWN = {value.name for value in vars(launch_plan).values() if isinstance(value, Setting)} | {
    setting.name for setting in settings.ALL
}

Manifest = Mapping[str, Any]


def manifests() -> Iterator[tuple[str, Manifest]]:
    """Every manifest by its file, also those that are not applied with the rest."""
    for path in sorted(FOLDER.glob("*.yaml")):
        if path.name not in {"kustomization.yaml", "config.yaml"}:
            for manifest in yaml.safe_load_all(path.read_text("utf-8")):
                yield f"{path.name} {manifest['kind']}", manifest


ALL = dict(manifests())
PROXY: Manifest = ALL["deployment.yaml Deployment"]
POD: Mapping[str, Any] = PROXY["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
LABELS: Mapping[str, str] = PROXY["spec"]["template"]["metadata"]["labels"]
REDIS: Manifest = ALL["redis.yaml Deployment"]
REDIS_LABELS: Mapping[str, str] = REDIS["spec"]["template"]["metadata"]["labels"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ALL)
def test_a_manifest_is_one_of_kubernetes_and_has_no_field_that_it_does_not_know(name: str, version: str) -> None:
    kubernetes_validate.validate(ALL[name], version, strict=True)


def test_a_misspelt_field_would_be_found() -> None:
    misspelt = {**PROXY, "spec": {**PROXY["spec"], "replica": 2}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(misspelt, VERSIONS[0], strict=True)


def test_what_is_applied_together_is_all_but_what_belongs_to_the_adapter() -> None:
    files = {name.split()[0] for name in ALL}
    assert files - set(KUSTOMIZATION["resources"]) == {"prometheus-adapter.yaml"}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kustomize_makes_valid_manifests_of_them() -> None:
    done = subprocess.run(["kubectl", "kustomize", FOLDER], capture_output=True, text=True, check=True)  # noqa: S603, S607
    made = list(yaml.safe_load_all(done.stdout))
    for manifest in made:
        kubernetes_validate.validate(manifest, VERSIONS[-1], strict=True)
    (proxy,) = (one for one in made if one["kind"] == "Deployment" and one["metadata"]["name"] == "agent-proxy")
    (container,) = proxy["spec"]["template"]["spec"]["containers"]
    maps = {one["metadata"]["name"] for one in made if one["kind"] == "ConfigMap"}
    assert container["envFrom"][0]["configMapRef"]["name"] in maps
    assert container["image"].startswith("registry.example.com/")
    assert {one["metadata"].get("namespace", "agent-proxy") for one in made} == {"agent-proxy"}


# What selects what


def test_selectors_find_the_pods_that_they_mean() -> None:
    for manifest, labels in ((PROXY, LABELS), (REDIS, REDIS_LABELS)):
        assert manifest["spec"]["selector"]["matchLabels"] == labels
    assert LABELS != REDIS_LABELS
    assert ALL["service.yaml Service"]["spec"]["selector"] == LABELS
    assert ALL["redis.yaml Service"]["spec"]["selector"] == REDIS_LABELS
    assert ALL["disruption-budget.yaml PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == LABELS
    for spread in POD["topologySpreadConstraints"]:
        assert spread["labelSelector"]["matchLabels"] == LABELS
    policy = ALL["redis.yaml NetworkPolicy"]["spec"]
    assert policy["podSelector"]["matchLabels"] == REDIS_LABELS
    assert policy["ingress"][0]["from"] == [{"podSelector": {"matchLabels": LABELS}}]


def test_ports_are_named_once_and_meant_by_their_name() -> None:
    (port,) = CONTAINER["ports"]
    assert ALL["service.yaml Service"]["spec"]["ports"][0]["targetPort"] == port["name"]
    assert str(port["containerPort"]) == environment()["PORT"]
    (redis,) = REDIS["spec"]["template"]["spec"]["containers"][0]["ports"]
    assert ALL["redis.yaml Service"]["spec"]["ports"][0]["targetPort"] == redis["name"]
    assert ALL["redis.yaml NetworkPolicy"]["spec"]["ingress"][0]["ports"] == [{"port": redis["name"]}]


def test_the_autoscaler_scales_the_proxy_by_figures_that_exist() -> None:
    spec = ALL["autoscaler.yaml HorizontalPodAutoscaler"]["spec"]
    assert spec["scaleTargetRef"]["name"] == PROXY["metadata"]["name"]
    assert spec["minReplicas"] >= 2
    assert "replicas" not in PROXY["spec"], "applying it would take back what the autoscaler has decided"
    by_cpu, by_requests = spec["metrics"]
    assert by_cpu["resource"]["name"] == "cpu"
    assert "cpu" in CONTAINER["resources"]["requests"], "utilization is of what is requested"
    (in_flight,) = metrics.REQUESTS_IN_FLIGHT.describe()
    assert by_requests["pods"]["metric"]["name"] == in_flight.name
    rules = yaml.safe_load(ALL["prometheus-adapter.yaml ConfigMap"]["data"]["config.yaml"])["rules"]
    assert [rule["name"]["as"] for rule in rules] == [in_flight.name]
    assert rules[0]["seriesQuery"].startswith(f"{in_flight.name}{{")


# Probes and the end


def test_probes_ask_what_is_answered_without_a_key() -> None:
    probes = {name: CONTAINER[f"{name}Probe"] for name in ("startup", "liveness", "readiness")}
    paths = {name: probe["httpGet"]["path"] for name, probe in probes.items()}
    assert paths == {
        "startup": "/health/liveness",
        "liveness": "/health/liveness",
        "readiness": routes.READINESS,
    }
    for probe in probes.values():
        assert routes.find("GET", probe["httpGet"]["path"]).public
        assert probe["httpGet"]["port"] == CONTAINER["ports"][0]["name"]
    assert probes["readiness"]["timeoutSeconds"] > provider._PATIENCE


def test_a_pod_has_time_to_finish_its_answers() -> None:
    moved_away = int(CONTAINER["lifecycle"]["preStop"]["exec"]["command"][-1])
    until_killed = POD["terminationGracePeriodSeconds"] - moved_away
    assert until_killed > processes.GRACE
    assert until_killed > settings.READ_TIMEOUT.parse(settings.READ_TIMEOUT.default or "")


# What a pod may do, and what it is told


@pytest.mark.parametrize("deployment", [PROXY, REDIS], ids=["proxy", "redis"])
def test_pods_may_do_nothing_but_their_work(deployment: Manifest) -> None:
    pod = deployment["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    for container in pod["containers"]:
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert {"memory"} == set(container["resources"]["limits"])
        assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}


def test_the_proxy_runs_as_the_user_of_its_image_and_writes_where_that_may() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    (user,) = (line.split()[1] for line in dockerfile if line.startswith("USER "))
    context = POD["securityContext"]
    assert user == f"{context['runAsUser']}:{context['runAsGroup']}"
    (workdir,) = (line.split()[1] for line in dockerfile if line.startswith("WORKDIR "))
    tmp, config = CONTAINER["volumeMounts"]
    assert tmp["mountPath"] == "/tmp"  # noqa: S108 - in the container
    assert config["mountPath"] == f"{workdir}/config.yaml"


def environment() -> Mapping[str, str]:
    """What the pod sets by itself."""
    return {variable["name"]: variable["value"] for variable in CONTAINER["env"]}


def test_every_variable_is_a_setting() -> None:
    assert set(environment()) <= KNOWN
    assert set(dotenv_values(FOLDER / "settings.env")) <= KNOWN
    suggested = re.findall(r"^# (\w+)=", (FOLDER / "settings.env").read_text("utf-8"), re.MULTILINE)
    assert suggested
    assert set(suggested) <= KNOWN


def test_settings_hold_no_secret_and_secrets_come_by_reference() -> None:
    secret = {setting.name for setting in (*settings.ALL, launch_plan.MASTER_KEY) if setting.secret}
    assert not secret & {*environment(), *dotenv_values(FOLDER / "settings.env")}
    assert "Secret" not in {manifest["kind"] for manifest in ALL.values()}
    assert [list(source) for source in CONTAINER["envFrom"]] == [["configMapRef"], ["secretRef"]]


def test_the_redis_of_the_settings_is_the_service_beside_them() -> None:
    service = ALL["redis.yaml Service"]
    host, port = service["metadata"]["name"], service["spec"]["ports"][0]["port"]
    assert dotenv_values(FOLDER / "settings.env")["REDIS_URL"] == f"redis://{host}:{port}/0"


def test_maps_and_their_files_are_those_that_the_pod_names() -> None:
    made = {generator["name"]: generator for generator in KUSTOMIZATION["configMapGenerator"]}
    assert CONTAINER["envFrom"][0]["configMapRef"]["name"] in made
    (config,) = (volume["configMap"]["name"] for volume in POD["volumes"] if "configMap" in volume)
    assert made[config]["files"] == ["config.yaml"]
    for generator in made.values():
        assert all((FOLDER / file).exists() for file in (*generator.get("files", ()), *generator.get("envs", ())))


def test_the_configuration_is_the_delivered_one() -> None:
    """Kustomize takes no file from outside of its folder."""
    copied, delivered = (path.read_text("utf-8") for path in (FOLDER / "config.yaml", ROOT / "config.yaml"))
    assert copied == delivered, "run: cp config.yaml deploy/kubernetes/"


def test_the_image_is_that_of_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    (image,) = KUSTOMIZATION["images"]
    assert image["name"] == CONTAINER["image"]
    assert image["newTag"] == version


def test_the_redis_is_the_one_of_compose() -> None:
    compose = yaml.safe_load(Path(ROOT / "compose.yaml").read_text("utf-8"))["services"]["redis"]
    (redis,) = REDIS["spec"]["template"]["spec"]["containers"]
    assert redis["image"] == compose["image"]
    assert redis["args"] == compose["command"][1:]
