"""The dashboard and the alerts: their queries are PromQL, and ask for figures that exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import Counter, Histogram
from prometheus_client.metrics import MetricWrapperBase

from custom_handler import errors, metrics
from custom_handler.errors import BridgeError
from tests.support.program import ROOT

DASHBOARD: Mapping[str, Any] = json.loads(
    (ROOT / "deploy" / "grafana" / "dashboards" / "agent-proxy.json").read_text("utf-8")
)
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
ALERTS = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text("utf-8"))["groups"][0]["rules"]
#: What Prometheus adds to whatever it reads.
OF_PROMETHEUS = {"instance", "job"}
#: What Grafana puts in the place of its variables.
GRAFANAS = {"$__rate_interval": "1m", "$model": ".*"}


def samples(figure: MetricWrapperBase) -> Iterator[str]:
    """The names under which Prometheus knows a figure."""
    (described,) = figure.describe()
    if isinstance(figure, Histogram):
        yield from (f"{described.name}_{part}" for part in ("bucket", "sum", "count"))
    else:
        yield f"{described.name}_total" if isinstance(figure, Counter) else described.name


LABELS: Mapping[str, set[str]] = {
    name: set(figure._labelnames) | ({"le"} if name.endswith("_bucket") else set()) | OF_PROMETHEUS
    for figure in vars(metrics).values()
    if isinstance(figure, MetricWrapperBase)
    for name in samples(figure)
}
QUERIES = {
    **{f"{panel['title']} {target['refId']}": target["expr"] for panel in PANELS for target in panel["targets"]},
    **{alert["alert"]: alert["expr"] for alert in ALERTS},
}


def parsed(query: str) -> promql_parser.Expr:
    for variable, text in GRAFANAS.items():
        query = query.replace(variable, text)
    return promql_parser.parse(query)


def selectors(query: str) -> list[promql_parser.VectorSelector]:
    found: list[promql_parser.VectorSelector] = []

    def visit(expression: promql_parser.Expr) -> bool:
        if isinstance(expression, promql_parser.VectorSelector):
            found.append(expression)
        return True

    promql_parser.walk(parsed(query), visit)
    return found


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_asks_for_figures_and_labels_that_exist(name: str) -> None:
    asked = selectors(QUERIES[name])
    assert asked
    for selector in asked:
        known = OF_PROMETHEUS if selector.name == "up" else LABELS[selector.name or ""]
        assert {matcher.name for matcher in selector.matchers.matchers} <= known
    grouped = {label for labels in re.findall(r"by \(([^)]*)\)", QUERIES[name]) for label in labels.split(", ")}
    assert grouped <= set.union(*(LABELS.get(selector.name or "", OF_PROMETHEUS) for selector in asked))


def test_a_query_with_a_mistake_would_be_found() -> None:
    with pytest.raises(ValueError, match="parenthesis"):
        parsed("sum(rate(agent_proxy_requests_total[$__rate_interval])")
    assert [selector.name for selector in selectors("rate(a[1m]) / sum(b)")] == ["a", "b"]


def test_every_figure_is_on_the_dashboard() -> None:
    shown = {selector.name for query in QUERIES.values() for selector in selectors(query)}
    for figure in vars(metrics).values():
        if isinstance(figure, MetricWrapperBase):
            assert shown & set(samples(figure)), figure


def test_legends_name_labels_that_the_query_leaves() -> None:
    for panel in PANELS:
        for target in panel["targets"]:
            used = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            left = re.findall(r"by \(([^)]*)\)", target["expr"])
            assert used <= {label for labels in left for label in labels.split(", ")}, panel["title"]


def test_codes_in_queries_are_codes_of_errors() -> None:
    ours = (value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, BridgeError))
    codes = {error.code for error in ours} | {metrics.OK, metrics.CANCELLED}
    for query in QUERIES.values():
        for pattern in re.findall(r'(?:outcome|code)(?:=~|!=|=)"([^"$]*)"', query):
            for alternative in pattern.split("|"):
                assert any(re.fullmatch(alternative, code) for code in codes), alternative


def test_panels_do_not_overlap_and_have_what_grafana_needs() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert DASHBOARD["uid"]
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD)))
    assert used - {"__rate_interval", "__all"} == variables


def test_alerts_have_a_name_of_their_own_and_say_what_is_wrong() -> None:
    assert len({alert["alert"] for alert in ALERTS}) == len(ALERTS)
    for alert in ALERTS:
        assert alert["labels"]["severity"] in {"warning", "critical"}
        assert alert["annotations"]["summary"].endswith(".")
