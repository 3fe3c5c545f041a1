"""The documents on watching and deploying say what the code and the files of `deploy` say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase

from custom_handler import launch_plan, metrics, routes
from tests.documents.markdown import Document, quoted
from tests.support.program import ROOT

OBSERVABILITY = Document.read(ROOT / "docs" / "observability.md")
DEPLOYING = Document.read(ROOT / "docs" / "deploying.md")
FIGURES = [value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase)]
DEPLOY = ROOT / "deploy"


def load(path: str) -> Any:
    return yaml.safe_load((DEPLOY / path).read_text("utf-8"))


def row(figure: MetricWrapperBase) -> list[str]:
    """What the table should say of a figure."""
    (described,) = figure.describe()
    name = described.name + ("_total" if isinstance(figure, Counter) else "")
    labels = ", ".join(f"`{label}`" for label in figure._labelnames) or "none"
    return [f"`{name}`", described.type, labels, described.documentation]


def test_the_table_of_metrics_is_that_of_the_code() -> None:
    assert OBSERVABILITY.section("Metrics").tables[0] == [row(figure) for figure in FIGURES]


def test_every_label_is_explained() -> None:
    told = {label for cells in OBSERVABILITY.section("Metrics").tables[1] for label in quoted(cells[0])}
    assert told == {label for figure in FIGURES for label in figure._labelnames}


def test_the_job_that_is_shown_is_the_one_of_compose() -> None:
    (shown,) = OBSERVABILITY.section("Metrics").code
    assert yaml.safe_load(shown)["scrape_configs"] == load("prometheus/prometheus.yml")["scrape_configs"]


def test_every_alert_is_explained() -> None:
    alerts = load("prometheus/alerts.yml")["groups"][0]["rules"]
    (table,) = OBSERVABILITY.section("Alerts").tables
    assert [quoted(cells[0])[0] for cells in table] == [alert["alert"] for alert in alerts]


def test_the_values_of_the_sdk_that_are_told_are_those_of_the_launcher() -> None:
    text = OBSERVABILITY.section("Traces").text
    assert f"`OTEL_SERVICE_NAME` (`{launch_plan.LITELLM_DEFAULTS['OTEL_SERVICE_NAME']}`)" in text
    assert (
        f"`OTEL_EXPORTER_OTLP_TIMEOUT` ({launch_plan.LITELLM_DEFAULTS['OTEL_EXPORTER_OTLP_TIMEOUT']} seconds)" in text
    )


def test_the_profiles_that_are_told_are_those_of_compose() -> None:
    compose: Mapping[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    (table,) = DEPLOYING.section("Containers").tables
    told = {quoted(cells[0])[0]: quoted(cells[2])[0] for cells in table}
    profiles = {profile for service in compose["services"].values() for profile in service.get("profiles", ())}
    assert set(told) == profiles - {"emulator"}
    head = (ROOT / "compose.yaml").read_text("utf-8").split("\nx-container")[0]
    for profile, variable in told.items():
        assert f"{variable} docker compose --profile {profile} up" in head


def test_addresses_of_health_are_served_without_a_key() -> None:
    (table,) = DEPLOYING.section("Health").tables
    for address, key, _ in table:
        for path in re.findall(r"`(?:GET )?(/\S*)`", address):
            assert routes.find("GET", path).public == (key == "no")


def test_what_the_operator_of_prometheus_is_shown_fits_the_manifests() -> None:
    monitor = yaml.safe_load(DEPLOYING.section("Kubernetes").code[-1])
    service = load("kubernetes/service.yaml")
    assert monitor["spec"]["selector"]["matchLabels"] == service["metadata"]["labels"]
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["port"] == service["spec"]["ports"][0]["name"]
    assert endpoint["path"] in routes.METRICS
    (container,) = load("kubernetes/deployment.yaml")["spec"]["template"]["spec"]["containers"]
    secret = container["envFrom"][1]["secretRef"]["name"]
    assert endpoint["authorization"]["credentials"] == {"name": secret, "key": launch_plan.MASTER_KEY.name}
    assert monitor["metadata"]["namespace"] == load("kubernetes/kustomization.yaml")["namespace"]


COMMANDS = re.findall(r"^ *(kubectl .*)$", DEPLOYING.section("Kubernetes").text, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_name_the_folder_and_the_names_of_the_manifests(command: str) -> None:
    told = re.findall(r"(?:create namespace|--namespace|generic|kustomize) ([\w/-]+)", command)
    assert told
    assert set(told) <= {load("kubernetes/kustomization.yaml")["namespace"], "deploy/kubernetes"}
