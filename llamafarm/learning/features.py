"""What of a prompt a router looks at: 28 figures of its surface, and its words and pairs of words, hashed.

Sentence embeddings were no better on public outcomes, and these need no model. Hashing: Weinberger and others, Feature
Hashing for Large Scale Multitask Learning (2009). CRC-32, so that a prompt has the same features on every machine.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log1p
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

BINS = 4096
LOOKED_AT = 4_000  # letters at each end of a prompt: bounds the time that a suggestion takes
ALONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"  # kana and Han: scripts without spaces, where each sign is a word
WORD = re.compile(rf"[{ALONE}]|(?:(?![{ALONE}])[^\W\d_])+(?:['’][^\W\d_]+)?|\d+")
PAIR = 0.3  # what a pair of words counts: most pairs stand in one prompt alone
DIGITS = "0"  # stands for every number: which one it is says little, that there is one says much

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_SENTENCE = re.compile(r"[.!?。！？]+(?=\s|$)|\n\s*\n")
_COUNTED = {
    "parts": r"\d\s*%|\b\d+/\d+\b|\bpercent\b|\d\.\d",
    "money": r"[$€£¥]\s?\d|\b(?:dollars?|cents?|euros?)\b",
    "sums": r"[\d\s)][+*×÷=][\s\d(]|\d\s*[-/]\s*\d",
    "questions": r"[?？]",
    "commas": r"[,;:，、]",
    "brackets": r"[()\[\]]",
    "quotes": r"[\"“”«»]",
    "code": r"```|\b(?:def|class|import|return|function|const|void|select)\b|[{}]|[=!<>]=|->|=>|;$",
    "options": r"^\s*(?:[-*•]|\(?[a-j1-9][.):])\s",
    "formulas": r"\\[a-z]+|\$[^$\n]{1,200}\$|\^|[√∑∫π≤≥]",
    "negations": r"\b(?:not|no|never|none|neither|except|without|false)\b|n['’]t\b",
    "quantities": r"\b(?:each|every|twice|double|triple|half|third|quarter|times|per|more|less|fewer|than|remaining|"
    r"rest|left|total|altogether|average|ratio|rate)\b",
    "conditions": r"\b(?:if|suppose|assum(?:e|ing)|given|unless|when(?:ever)?|otherwise|let)\b",
    "analysis": r"\b(?:why|because|explain|prove|proof|compare|analy[sz]e|evaluate|derive|infer|justify)\b",
    "making": r"\b(?:write|create|draft|compose|generate|implement|translate|summari[sz]e|rewrite|fix)\b",
}
_PATTERNS = {name: re.compile(pattern, re.IGNORECASE | re.MULTILINE) for name, pattern in _COUNTED.items()}
SURFACE = (
    "letters", "words", "sentences", "sentence_length", "word_length", "long_words", "variety", "numbers",
    "largest_number", "lines", "capitals", "names", "foreign", *_COUNTED,
)  # fmt: skip
LONG_WORD = 7  # letters


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as figures: `surface` in the order of SURFACE, and `counts` of what fell into which of `bins`."""

    surface: Floats
    bins: Indices
    counts: Floats

    @property
    def length(self) -> float:
        """The logarithm of its letters and one."""
        return float(self.surface[0])


def read(text: str) -> Prompt:
    """The features of one prompt. Of a very long one its beginning and its end are looked at, and its length."""
    shown = text if len(text) <= 2 * LOOKED_AT else f"{text[:LOOKED_AT]}\n{text[-LOOKED_AT:]}"
    words = [DIGITS if word.isdigit() else word for word in WORD.findall(shown)]
    lower = [word.lower() for word in words]
    found: dict[int, float] = {}
    for grams, weight in ((lower, 1.0), (map(" ".join, pairwise(lower)), PAIR)):
        for gram in grams:
            bin_ = crc32(gram.encode("utf-8", "replace")) % BINS
            found[bin_] = found.get(bin_, 0.0) + weight
    counts = np.fromiter(found.values(), np.float64, len(found))
    return Prompt(np.array(_surface(text, shown, words)), np.fromiter(found, np.intp, len(found)), counts)


def _surface(text: str, shown: str, words: Sequence[str]) -> list[float]:
    letters, count = max(len(shown), 1), max(len(words), 1)
    sentences = max(len(_SENTENCE.findall(shown)), 1)
    numbers = [each.replace(",", "") for each in _NUMBER.findall(shown)]
    return [
        log1p(len(text)),
        log1p(len(words)),
        log1p(sentences),
        log1p(len(words) / sentences),
        sum(map(len, words)) / count,
        sum(len(word) >= LONG_WORD for word in words) / count,
        len({word.lower() for word in words}) / count**0.8,
        log1p(len(numbers)),
        log1p(max((min(len(each.partition(".")[0]), 12) for each in numbers), default=0)),
        log1p(shown.count("\n")),
        sum(map(str.isupper, shown)) / letters,
        sum(word[0].isupper() for word in words[1:]) / count,
        sum(not each.isascii() for each in shown) / letters,
        *(log1p(sum(1 for _ in pattern.finditer(shown))) for pattern in _PATTERNS.values()),
    ]


def stacked(prompts: Sequence[Prompt]) -> tuple[Floats, NDArray[np.float32]]:
    """The surfaces, a row a prompt, and the logarithms of counts and one, prompts × BINS."""
    surface = np.array([prompt.surface for prompt in prompts]).reshape(len(prompts), len(SURFACE))
    words = np.zeros((len(prompts), BINS), np.float32)
    for row, prompt in enumerate(prompts):
        words[row, prompt.bins] = np.log1p(prompt.counts)
    return surface, words
