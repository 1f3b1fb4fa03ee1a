"""The least that a proxy can be: FastAPI and aiohttp, bytes passed on as they come. No keys, no log, no figures."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import StreamingResponse


def build(upstream: str) -> FastAPI:
    """A proxy for the model server at `upstream`."""

    @asynccontextmanager
    async def opened(app: FastAPI) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            app.state.session = session
            yield

    app = FastAPI(lifespan=opened)

    @app.post("/{pace:path}/chat/completions")
    async def completions(pace: str, request: Request) -> StreamingResponse:
        session: aiohttp.ClientSession = request.app.state.session
        headers = {"content-type": "application/json"}
        answer = await session.post(f"{upstream}/{pace}/chat/completions", data=await request.body(), headers=headers)

        async def pieces() -> AsyncIterator[bytes]:
            async with answer:
                async for piece in answer.content.iter_any():
                    yield piece

        return StreamingResponse(pieces(), answer.status, media_type=answer.headers["content-type"])

    return app


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(sys.argv[3])})
    uvicorn.run(build(sys.argv[1]), port=int(sys.argv[2]), log_level="warning")
