"""The three APIs: what is asked in each of them, and what its answers mean."""

from __future__ import annotations

from tests.reliability.apis.api import Api
from tests.reliability.apis.chat import CHAT
from tests.reliability.apis.messages import MESSAGES
from tests.reliability.apis.responses import RESPONSES

APIS: tuple[Api, ...] = (CHAT, RESPONSES, MESSAGES)

__all__ = ["APIS", "CHAT", "MESSAGES", "RESPONSES", "Api"]
