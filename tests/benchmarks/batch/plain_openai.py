"""The job with the openai package and nothing else: `python plain_openai.py BASE_URL`. Streams, and keeps the texts."""

from __future__ import annotations

import asyncio
import sys

from openai import AsyncOpenAI

from tests.benchmarks.batch.job import AT_ONCE, CALLS, KEY, MODELS, questions


async def main(base_url: str) -> None:
    """Ask all, so many at once."""
    places = asyncio.Semaphore(AT_ONCE)
    async with AsyncOpenAI(base_url=base_url, api_key=KEY, max_retries=0) as client:

        async def ask(model: str, prompt: str) -> str:
            async with places:
                pieces: list[str] = []
                stream = await client.chat.completions.create(
                    model=model, messages=[{"role": "user", "content": prompt}], stream=True
                )
                async with stream:
                    async for chunk in stream:
                        if chunk.choices and (content := chunk.choices[0].delta.content):
                            pieces.append(content)  # noqa: PERF401 - written as people write it
                return "".join(pieces)

        calls = (ask(f"m{number}", prompt) for prompt in questions() for number in range(MODELS))
        answers = await asyncio.gather(*calls)
    assert len(answers) == CALLS
    assert all(answers)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
