"""The space in which prompts are near each other or far: learnt from the prompts of the evidence, labels unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llamafarm.learning.features import BINS, SURFACE, Floats, Prompt, stacked

Singles = NDArray[np.float32]

RANK = 256  # directions of words that are kept: what lies across them is in a handful of prompts alone
SWEEPS = 3
WIDEST = 3.0  # standard deviations: a prompt unlike all others is no reason to go beyond what was seen
NARROWEST = 0.05  # a figure that hardly varies in the evidence is not blown up
LENGTH_SCALE = 2.0  # the length of a prompt says more than the other figures, so it is held back less
TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Located:
    """Prompts in a space: `surface` in standard deviations, `words` in the space's directions, of length `known` ≤ 1.

    `known` is the share of a prompt's words that the space has directions for: the rest was never seen. `aim` is the
    direction of the words alone, of length 1.
    """

    surface: Floats
    words: Floats
    known: Floats
    aim: Singles

    @classmethod
    def at(cls, surface: Floats, words: Floats) -> Located:
        """Prompts with these coordinates."""
        known = np.linalg.norm(words, axis=1)
        return cls(surface, words, known, (words / np.maximum(known, TINY)[:, None]).astype(np.float32))

    @property
    def coordinates(self) -> Floats:
        """What a linear model sees: surface and words, each of about the length 1."""
        return np.hstack([self.surface / np.sqrt(len(SURFACE)) * _scales(), self.words])

    def rows(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> Located:
        """Some of them."""
        return Located(self.surface[chosen], self.words[chosen], self.known[chosen], self.aim[chosen])


@dataclass(frozen=True, slots=True)
class Space:
    """Means and deviations of the surface, rarity of words (inverse document frequency), and directions of words."""

    middle: Floats
    deviation: Floats
    rarity: Singles
    directions: Singles

    @classmethod
    def of(cls, prompts: Sequence[Prompt]) -> tuple[Space, Located]:
        """The space of `prompts`, and where they are in it.

        Directions are the first principal ones, by subspace iteration on the prompts' kernel from a fixed beginning
        (Halko, Martinsson and Tropp, Finding Structure with Randomness, 2011); up to RANK prompts they are all.
        """
        surface, counts = stacked(prompts)
        rarity = (np.log((len(prompts) + 1) / ((counts > 0).sum(0) + 1)) + 1).astype(np.float32)
        words = _unit(counts * rarity)
        deviation = np.maximum(surface.std(0), NARROWEST)
        space = cls(surface.mean(0), deviation, rarity, _directions(words))
        return space, space._located(surface, words)

    @classmethod
    def empty(cls) -> Space:
        """The space of those who have seen nothing: lengths alone say something there."""
        middle, deviation = np.zeros(len(SURFACE)), np.ones(len(SURFACE))
        middle[0] = 5.0  # about 150 letters
        return cls(middle, deviation, np.ones(BINS, np.float32), np.zeros((BINS, 0), np.float32))

    def locate(self, prompts: Sequence[Prompt]) -> Located:
        """Where prompts are that may be new."""
        surface, counts = stacked(prompts)
        return self._located(surface, _unit(counts * self.rarity))

    def locate_one(self, prompt: Prompt) -> Located:
        """The same for one prompt, which looks at its own words alone."""
        weights = np.log1p(prompt.counts) * self.rarity[prompt.bins]
        weights /= max(float(np.linalg.norm(weights)), TINY)
        words = (weights.astype(np.float32) @ self.directions[prompt.bins]).astype(np.float64)[None]
        return Located.at(self._standard(prompt.surface[None]), words)

    def _located(self, surface: Floats, words: Singles) -> Located:
        return Located.at(self._standard(surface), (words @ self.directions).astype(np.float64))

    def _standard(self, surface: Floats) -> Floats:
        return np.clip((surface - self.middle) / self.deviation, -WIDEST, WIDEST)


def near_by_words(ones: Located, others: Located) -> Floats:
    """The cosine of each pair's words, of what the space knows of them."""
    return np.asarray(ones.aim @ others.aim.T, np.float64)


def near_by_surface(ones: Located, others: Located) -> Floats:
    """A Gaussian of each pair's distance on the surface: 1 where they are alike."""
    left, right = ones.surface, others.surface
    squares = (left**2).sum(1)[:, None] + (right**2).sum(1) - 2 * left @ right.T
    return np.asarray(np.exp(-np.maximum(squares, 0) / len(SURFACE)), np.float64)


def _scales() -> Floats:
    scales = np.ones(len(SURFACE))
    scales[0] = LENGTH_SCALE
    return scales


def _unit(rows: Singles) -> Singles:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), TINY), np.float32)


def _directions(words: Singles) -> Singles:
    kernel = words @ words.T
    if len(words) > RANK:
        basis: Singles = np.random.default_rng(0).standard_normal((len(words), RANK)).astype(np.float32)
        for _ in range(SWEEPS):
            basis = np.asarray(np.linalg.qr(kernel @ basis).Q, np.float32)
        values, vectors = np.linalg.eigh((basis.T @ (kernel @ basis)).astype(np.float64))
    else:
        basis = np.identity(len(words), np.float32)
        values, vectors = np.linalg.eigh(kernel.astype(np.float64))
    kept = values > max(float(values[-1]), 1.0) * 1e-5
    spread = (basis @ vectors[:, kept].astype(np.float32)) / np.sqrt(values[kept]).astype(np.float32)
    return np.ascontiguousarray(words.T @ spread)
