"""Fusion's `/agents`."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from emulator.errors import RefusedError
from emulator.fusion_chats import agent
from emulator.fusion_errors import AGENT_NOT_FOUND
from emulator.fusion_switches import listed
from emulator.ids import is_uuid
from emulator.options import Options
from emulator.service import Service

DEFAULT_AGENT = "00000000-0000-4000-8000-000000000000"


class FusionAgentApi:
    """`GET /agents` and `GET /agents/{agent_id}`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def all(self, request: Request) -> Response:
        """All agents."""
        self._service.identity.of_fusion(request.state.record.headers)
        options = self._service.options
        return listed("agents", map(agent, options.fusion_agents or (DEFAULT_AGENT,)), options.fusion_lists)

    async def one(self, request: Request) -> Response:
        """One agent."""
        self._service.identity.of_fusion(request.state.record.headers)
        return JSONResponse(agent(known_agent(self._service.options, request.path_params["agent_id"])))


def known_agent(options: Options, agent_id: object) -> str:
    """`agent_id` if there is such an agent. Raises RefusedError (404)."""
    known = options.fusion_agents
    if not (is_uuid(agent_id) if known is None else agent_id in known):
        raise RefusedError(AGENT_NOT_FOUND)
    return str(agent_id)
