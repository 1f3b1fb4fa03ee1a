"""How much answers to one question agree, and how much they differ."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

WORDS = re.compile(r"\w+(?:['’]\w+)*")
MOST_WORDS = 5_000  # of an answer, in what is compared: each word costs time
EDGES = " \t\n\r\"'`“”‘’*_.,;:!?()[]"


def normalised(text: str) -> str:
    """`text` without what does not change an answer: case, width, spaces, and signs at its edges.

    Unicode NFKC and case folding; `42.`, `"42"` and `**42**` are one answer, `42` and `-42` are two.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.split()).strip(EDGES)


def words(text: str) -> list[str]:
    """The words of `text`, folded; the first 5,000."""
    found = WORDS.finditer(unicodedata.normalize("NFKC", text).casefold())
    return [match.group() for match, _ in zip(found, range(MOST_WORDS), strict=False)]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was first given, and how many gave it after normalising."""

    text: str
    count: int


def answers(texts: Sequence[str]) -> tuple[Answer, ...]:
    """The different answers, the most common first; of equally common ones the one that came first."""
    first: dict[str, str] = {}
    for text in texts:
        first.setdefault(normalised(text), text)
    return tuple(Answer(first[key], count) for key, count in Counter(map(normalised, texts)).most_common())


def agrees(texts: Sequence[str]) -> list[float]:
    """For each answer 1 where it is the most common one, else 0. The mean is the agreement: that answer's share."""
    keys = [normalised(text) for text in texts]
    if not keys:
        return []
    top = Counter(keys).most_common(1)[0][0]
    return [float(key == top) for key in keys]


def similarity(one: frozenset[str], other: frozenset[str]) -> float:
    """The Jaccard index of two sets of words (Jaccard 1912): shared words over all words; 1 for two empty sets.

    It knows no order and no synonyms; it costs time in proportion to the words, where edit distances cost their
    square.
    """
    union = len(one | other)
    return len(one & other) / union if union else 1.0


def distinct(tokens: Sequence[Sequence[str]], n: int) -> float | None:
    """Distinct-n: the different n-grams of all answers over the number of their n-grams (Li et al. 2016).

    A Diversity-Promoting Objective Function for Neural Conversation Models, https://aclanthology.org/N16-1014.
    n-grams don't cross from one answer to the next. None where there are none. More or longer answers lower it: it
    compares cells with the same number of repeats alone.
    """
    grams = [gram for each in tokens for gram in zip(*(each[start:] for start in range(n)), strict=False)]
    return len(set(grams)) / len(grams) if grams else None
