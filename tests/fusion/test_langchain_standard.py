"""LangChain's own tests of a chat model, for all that Fusion can do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from emulator import Emulator, Options
from fusion_client.integrations.langchain import FusionChatModel

AGENT, OTHER_AGENT = "00000000-0000-4000-8000-000000000000", "11111111-1111-4111-8111-111111111111"

# The suites give every model a temperature and a maximum of tokens, and the model says that it does nothing with them.
pytestmark = pytest.mark.filterwarnings("ignore:.* has no effect:UserWarning")


class _Abilities:
    """What of the suites is switched on and off, and why.

    What is off by default stays so: supports_image_urls, since the model fetches nothing; supports_json_mode, files in
    the results of tools and Anthropic's inputs, whose tests bind tools; serialization, since a model holds credentials;
    enable_vcr_tests, which measure the recording of a real service.
    """

    @property
    def has_tool_calling(self) -> bool:
        """The service has no tools."""
        return False

    @property
    def has_tool_choice(self) -> bool:
        """The service has no tools."""
        return False

    @property
    def has_structured_output(self) -> bool:
        """The service has none, and LangChain's own needs tools."""
        return False

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return FusionChatModel

    @property
    def returns_usage_metadata(self) -> bool:
        """No answer of the service has a count of tokens."""
        return False

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_pdf_inputs(self) -> bool:
        return True

    @property
    def supports_audio_inputs(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return OTHER_AGENT


class TestUnit(_Abilities, ChatModelUnitTests):
    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"agent_id": AGENT, "api_key": "sk-test"}

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        return {"FUSION_API_KEY": "sk-of-the-environment"}, {"model": AGENT}, {"api_key": "sk-of-the-environment"}


class TestIntegration(_Abilities, ChatModelIntegrationTests):
    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _served(cls) -> Iterator[None]:
        with Emulator(Options(rpm=None)) as running:
            cls.base_url = running.fusion_url
            yield

    base_url: str

    @pytest.fixture(autouse=True)
    def _files_of_the_internet(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The suite fetches its picture, document and sound; here there is no internet."""
        monkeypatch.setenv("LANGCHAIN_TESTS_USER_AGENT", "none, since nothing is fetched")
        monkeypatch.setattr(httpx, "get", lambda url, **_: httpx.Response(200, content=f"the file of {url}".encode()))

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"agent_id": AGENT, "api_key": "sk-test", "base_url": self.base_url}
