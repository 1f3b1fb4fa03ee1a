"""The probe of a real model: each mark says what llama.cpp on this machine does."""

from __future__ import annotations

import asyncio

import pytest

from llamafarm.config.profiles import BUNDLED, EMBEDDED
from llamafarm.experiments.probe.plan import MOST_S, MOST_TOKENS
from llamafarm.experiments.probe.run import Prober
from llamafarm.history.probe import Finding, Mark
from llamafarm.providers.embedded.provider import EmbeddedModels
from llamafarm.providers.http.client import open_client
from tests.engine.fakes import model

TRUE: dict[str, tuple[tuple[Mark, ...], str]] = {
    "stream": (("yes",), "20 tokens in "),
    "usage": (("yes",), " in, 20 out."),
    "growth": (("yes",), "tokens for a prompt of about"),
    "length": (("yes",), "“length” after 20 of 20 tokens."),
    "stop": (("yes",), "The answer stopped at “"),
    "context": (("yes",), f"words for a context of {EMBEDDED.context:,} tokens were refused."),
    "cancel": (("yes", "untold"), "others after"),  # untold where twenty tokens take no time
    "at_once": (("yes", "untold"), ""),
    "repeat": (("yes",), "Twice the same"),
    "tools": (("no",), "Refused: smollm2-135m-instruct can't use tools: its chat template has no place for them."),
    "json": (("yes", "untold"), "{"),  # its grammar allows a number without end, which the bound cuts
    "reasoning": (("untold",), "Nothing was reasoned."),
    "cached": (("yes",), "tokens of the same prompt were cached."),
    "waits": (("yes",), "It tells loading ("),
    "model": (("yes",), "SmolLM2-135M-Instruct"),
}


@pytest.fixture(scope="module")
def found() -> dict[str, Finding]:
    """What one probe of the bundled model finds."""

    async def window() -> int:
        return EMBEDDED.context

    async def probed() -> Prober:
        bundled = model("m", provider="embedded", model=BUNDLED, base_url=None)
        async with open_client() as client, EmbeddedModels(client) as home:
            prober = Prober(bundled, home.provider(bundled).stream, window, free=True)
            async for _ in prober.steps():
                pass
        return prober

    prober = asyncio.run(asyncio.wait_for(probed(), 2 * MOST_S))
    assert prober.ended
    assert 0 < prober.spent <= MOST_TOKENS
    assert prober.long_tokens > EMBEDDED.context
    return {each.check: each for each in prober.findings()}


@pytest.mark.parametrize("check", TRUE)
def test_its_mark_is_true(found: dict[str, Finding], check: str) -> None:
    marks, evidence = TRUE[check]
    assert found[check].mark in marks, found[check]
    assert evidence in found[check].evidence
    assert bool(found[check].meaning) is (found[check].mark == "no")


def test_all_that_it_checks_is_held_here(found: dict[str, Finding]) -> None:
    assert found.keys() == TRUE.keys()
