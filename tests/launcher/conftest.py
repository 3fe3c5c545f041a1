"""What the tests of installing and starting share."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest

from tests.support.program import ROOT

_OURS = {"HOST", "PORT", "WORKERS", "BRAIN", "EMULATOR_URL", "LITELLM_MASTER_KEY", "DEBUG", "PYTHONPATH"}
_PROXIES = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, _no_settings_from_outside: None) -> None:
    for name in os.environ:
        if name in _OURS or name.lower() in _PROXIES or name.startswith("MAKE"):
            monkeypatch.delenv(name)


@pytest.fixture
def environment(_nothing_from_outside: None) -> Mapping[str, str]:
    """For programs: no setting, and the project's packages."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}
