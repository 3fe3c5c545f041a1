"""Fusion's `/agents`."""

from starlette.requests import Request

from emulator.errors import RefusedError
from emulator.fusion.chats import agent
from emulator.fusion.errors import AGENT_NOT_FOUND
from emulator.fusion.serving import listed
from emulator.identity import Account
from emulator.ids import is_uuid
from emulator.options import Options
from emulator.replying import json_answer
from emulator.service import Service
from emulator.steps import Step

DEFAULT_AGENT = "00000000-0000-4000-8000-000000000000"


class FusionAgentApi:
    """`GET /agents` and `GET /agents/{agent_id}`."""

    def __init__(self, service: Service) -> None:
        self._options = service.options

    async def all(self, _request: Request, _account: Account) -> list[Step]:
        """All agents."""
        return listed("agents", map(agent, self._options.fusion_agents or (DEFAULT_AGENT,)), self._options)

    async def one(self, request: Request, _account: Account) -> list[Step]:
        """One agent."""
        return json_answer(agent(known_agent(self._options, request.path_params["agent_id"])))


def known_agent(options: Options, agent_id: object) -> str:
    """`agent_id` if there is such an agent. Raises RefusedError (404)."""
    known = options.fusion_agents
    if not (is_uuid(agent_id) if known is None else agent_id in known):
        raise RefusedError(AGENT_NOT_FOUND)
    return str(agent_id)
