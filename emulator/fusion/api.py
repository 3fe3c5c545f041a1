"""Fusion's endpoints, below `/fusion/v1`. All are inferred, errors and streams too: one answer was ever seen."""

from starlette.middleware import Middleware
from starlette.routing import Mount, Route

from emulator.fusion.agent_api import FusionAgentApi
from emulator.fusion.auth_api import FusionAuthApi
from emulator.fusion.chat_api import FusionChatApi
from emulator.fusion.file_api import FusionFileApi
from emulator.fusion.history_api import FusionHistoryApi
from emulator.fusion.knowledge_api import FusionKnowledgeApi
from emulator.fusion.serving import RequestIds, served
from emulator.recording import FUSION
from emulator.service import Service


def fusion_routes(service: Service) -> Mount:
    """All endpoints of Fusion."""
    chat, history, agents = FusionChatApi(service), FusionHistoryApi(service), FusionAgentApi(service)
    files, knowledge, auth = FusionFileApi(service), FusionKnowledgeApi(service), FusionAuthApi(service)
    upload = served(service, files.upload, "store")
    routes = [
        Route("/chat", chat.begin, methods=["POST"]),
        Route("/chat/{chat_id}/message", chat.go_on, methods=["POST"]),
        Route("/chat", served(service, history.all)),
        Route("/chat/{chat_id}", served(service, history.one)),
        Route("/chat/{chat_id}", served(service, history.delete), methods=["DELETE"]),
        Route("/chat/{chat_id}/messages", served(service, history.messages)),
        Route("/chat/{chat_id}/files", upload, methods=["POST"]),
        Route("/files", upload, methods=["POST"]),
        Route("/files/{file_id}", served(service, files.download)),
        Route("/agents", served(service, agents.all)),
        Route("/agents/{agent_id}", served(service, agents.one)),
        Route("/knowledge", served(service, knowledge.add), methods=["POST"]),
        Route("/knowledge", served(service, knowledge.all)),
        Route("/knowledge/search", served(service, knowledge.search)),
        Route("/knowledge/{document_id}", served(service, knowledge.remove), methods=["DELETE"]),
        Route("/auth/refresh", auth.refresh, methods=["POST"]),
    ]
    return Mount(FUSION, routes=routes, middleware=[Middleware(RequestIds)])
