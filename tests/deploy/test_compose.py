"""compose.yaml and the files that its services are given."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from custom_handler import launch_plan, settings
from custom_handler.launch_plan import MASTER_KEY
from custom_handler.settings import Setting
from tests.support.program import ROOT

COMPOSE: Mapping[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SERVICES: Mapping[str, Mapping[str, Any]] = COMPOSE["services"]
PROXY = SERVICES["proxy"]
FOREIGN = {name: service for name, service in SERVICES.items() if "build" not in service}


def host_and_port(service: str, port: int) -> str:
    """An address inside of compose's network, if the service is there."""
    assert service in SERVICES
    return f"{service}:{port}"


def mounted(name: str) -> Mapping[str, Path]:
    """The files and folders of the project that a service sees: where it sees them → where they are."""
    pairs = (volume.split(":") for volume in SERVICES[name].get("volumes", ()) if volume.startswith("./"))
    return {inside: ROOT / outside for outside, inside, *_ in pairs}


def test_only_the_proxy_runs_without_a_profile() -> None:
    assert [name for name, service in SERVICES.items() if "profiles" not in service] == ["proxy"]
    assert {profile for service in SERVICES.values() for profile in service.get("profiles", ())} == {
        "emulator",
        "redis",
        "postgres",
        "observability",
    }


def test_nothing_is_published_but_to_this_machine() -> None:
    for service in SERVICES.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


@pytest.mark.parametrize("name", FOREIGN)
def test_an_image_of_others_is_pinned_and_checked(name: str) -> None:
    service = FOREIGN[name]
    assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+(\.\d+)?(-alpine)?", service["image"])
    assert ("healthcheck" in service) == (name != "collector")
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_what_is_mounted_is_there_and_read_only() -> None:
    for name, service in SERVICES.items():
        assert all(path.exists() for path in mounted(name).values()), name
        assert all(volume.endswith(":ro") for volume in service.get("volumes", ()) if volume.startswith("./"))
    volumes = {volume.split(":")[0] for each in SERVICES.values() for volume in each.get("volumes", ())}
    assert {volume for volume in volumes if not volume.startswith("./")} == set(COMPOSE["volumes"])


def test_the_proxy_waits_for_what_runs_and_does_without_what_does_not() -> None:
    for name, how in PROXY["depends_on"].items():
        assert how == {"condition": "service_healthy", "required": False}
        assert "healthcheck" in SERVICES[name]


def test_the_variables_in_the_head_name_services_of_the_profile_behind_them() -> None:
    head = (ROOT / "compose.yaml").read_text("utf-8").split("\nx-container")[0]
    told = re.findall(r"(\w+)=\w+://(?:\w+:\w+@)?(\w+):(\d+)\S* docker compose --profile (\w+) up", head)
    assert {name for name, *_ in told} == {"REDIS_URL", "DATABASE_URL", "OTEL_EXPORTER_OTLP_ENDPOINT"}
    for name, service, _, profile in told:
        assert profile in SERVICES[service]["profiles"]
        assert PROXY["environment"][name] is None, "it is passed on as it is set, or not at all"
    ports = {service: int(port) for _, service, port, _ in told}
    collector = yaml.safe_load((ROOT / "deploy" / "collector" / "config.yaml").read_text("utf-8"))
    assert collector["receivers"]["otlp"]["protocols"]["http"]["endpoint"] == f"0.0.0.0:{ports['collector']}"


def test_every_variable_of_the_proxy_is_a_setting() -> None:
    known = {value.name for value in vars(launch_plan).values() if isinstance(value, Setting)}
    known |= {setting.name for setting in settings.ALL}
    assert set(PROXY["environment"]) <= known


def test_prometheus_reads_the_proxy_with_its_key() -> None:
    files = mounted("prometheus")
    config = yaml.safe_load(files["/etc/prometheus/prometheus.yml"].read_text("utf-8"))
    (job,) = config["scrape_configs"]
    assert job["metrics_path"] == "/metrics"
    assert job["static_configs"][0]["targets"] == [host_and_port("proxy", int(PROXY["environment"]["PORT"]))]
    assert all(f"/etc/prometheus/{rules}" in files for rules in config["rule_files"])
    (key,) = SERVICES["prometheus"]["configs"]
    assert job["authorization"] == {"type": "Bearer", "credentials_file": key["target"]}
    assert COMPOSE["configs"][key["source"]]["content"] == PROXY["environment"][MASTER_KEY.name]


def test_traces_go_from_the_collector_to_where_grafana_looks_for_them() -> None:
    (inside,) = mounted("collector")
    assert SERVICES["collector"]["command"] == [f"--config={inside}"]
    collector = yaml.safe_load(mounted("collector")[inside].read_text("utf-8"))
    pipeline = collector["service"]["pipelines"]["traces"]
    for kind, names in pipeline.items():
        assert set(names) <= set(collector[kind])
    tempo = yaml.safe_load(mounted("tempo")["/etc/tempo.yaml"].read_text("utf-8"))
    received = tempo["distributor"]["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"]
    sent = collector["exporters"]["otlp/tempo"]["endpoint"]
    assert sent == host_and_port("tempo", int(received.rpartition(":")[2]))
    sources = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasources/agent-proxy.yaml").read_text("utf-8"))
    urls = {source["type"]: source["url"] for source in sources["datasources"]}
    assert urls["tempo"] == f"http://{host_and_port('tempo', tempo['server']['http_listen_port'])}"
    assert urls["prometheus"] == f"http://{host_and_port('prometheus', 9090)}"


def test_grafana_finds_the_dashboard() -> None:
    files = mounted("grafana")
    folder = files["/etc/grafana/provisioning/dashboards"] / "agent-proxy.yaml"
    (provider,) = yaml.safe_load(folder.read_text("utf-8"))["providers"]
    dashboards = files[provider["options"]["path"]]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{provider['options']['path']}/agent-proxy.json"
    assert json.loads((dashboards / "agent-proxy.json").read_text("utf-8"))["title"]


def compose_plugin() -> bool:
    """Whether `docker compose` can be asked; it needs no engine for that."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0  # noqa: S607


@pytest.mark.skipif(not compose_plugin(), reason="docker compose is not installed")
def test_compose_itself_understands_it() -> None:
    profiles = ["--profile", "emulator", "--profile", "redis", "--profile", "postgres", "--profile", "observability"]
    command = ["docker", "compose", *profiles, "config", "--quiet"]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - our own
