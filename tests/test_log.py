"""Log lines: one a record, with the correlation id, as text or as JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from custom_handler import correlation
from custom_handler.errors import SettingError
from custom_handler.log import configure

LOG = logging.getLogger("custom_handler.test")


@pytest.fixture(autouse=True)
def _logger_as_before() -> Iterator[None]:
    logger = logging.getLogger("custom_handler")
    before = (logger.handlers[:], logger.level, logger.propagate)
    yield
    logger.handlers[:], logger.level, logger.propagate = before[0], before[1], before[2]


def test_a_text_line_has_level_logger_correlation_id_and_message(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    with correlation.use("abc"):
        LOG.warning("Something %d", 5)
    assert capsys.readouterr().err.endswith(" WARNING custom_handler.test [abc] Something 5\n")


def test_a_json_line_has_them_as_fields(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKSPOT_LOG_FORMAT", "json")
    configure()
    with correlation.use("abc"):
        LOG.error("Failed", exc_info=ValueError("olá\nmundo"))
    (line,) = capsys.readouterr().err.splitlines()
    fields = json.loads(line)
    assert (fields["level"], fields["correlation_id"], fields["message"]) == ("ERROR", "abc", "Failed")
    assert "ValueError: olá\nmundo" in fields["exception"]
    assert fields["time"].startswith("20")


def test_the_level_is_a_setting_and_configuring_twice_does_not_double_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure()
    monkeypatch.setenv("STACKSPOT_LOG_LEVEL", "error")
    configure()
    LOG.warning("quiet")
    LOG.error("loud")
    assert capsys.readouterr().err.count("\n") == 1


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKSPOT_LOG_LEVEL", "chatty")
    with pytest.raises(SettingError, match="STACKSPOT_LOG_LEVEL"):
        configure()
