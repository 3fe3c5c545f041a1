"""The least that a proxy in Python can be: FastAPI hands every request to httpx, and the bytes of the answer back."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from starlette.background import BackgroundTask


@asynccontextmanager
async def _with_client(app: FastAPI) -> AsyncIterator[None]:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
    async with httpx.AsyncClient(base_url=os.environ["SERVICE_URL"], limits=limits, timeout=60) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=_with_client)


@app.post("/v1/chat/completions")
async def chat(request: Request) -> StreamingResponse:
    """The service's answer as it comes."""
    client: httpx.AsyncClient = request.app.state.client
    headers = {"content-type": "application/json", "authorization": "Bearer bench"}
    asked = client.build_request("POST", "/v1/chat/completions", content=await request.body(), headers=headers)
    answer = await client.send(asked, stream=True)
    return StreamingResponse(
        answer.aiter_raw(),
        status_code=answer.status_code,
        media_type=answer.headers["content-type"],
        background=BackgroundTask(answer.aclose),
    )


@app.get("/health/liveliness")
async def alive() -> None:
    """Answers once the server runs."""
