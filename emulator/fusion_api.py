"""Fusion's endpoints, below `/fusion/v1`. All are inferred, errors and streams too: one answer was ever seen."""

from starlette.routing import Mount, Route

from emulator.fusion_agent_api import FusionAgentApi
from emulator.fusion_chat_api import FusionChatApi
from emulator.recording import FUSION
from emulator.service import Service


def fusion_routes(service: Service) -> Mount:
    """All endpoints of Fusion."""
    chats, agents = FusionChatApi(service), FusionAgentApi(service)
    routes = [
        Route("/chat", chats.begin, methods=["POST"]),
        Route("/chat/{chat_id}", chats.one),
        Route("/chat/{chat_id}/message", chats.go_on, methods=["POST"]),
        Route("/chat/{chat_id}/messages", chats.messages),
        Route("/agents", agents.all),
        Route("/agents/{agent_id}", agents.one),
    ]
    return Mount(FUSION, routes=routes)
