"""Made-up outcomes whose truth is known: prompts, each lane's true chance to be right, and one throw of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """`truth` and `scores` are prompts × lanes; `costs` a figure a lane; `answers` the cheapest lane's, where made."""

    prompts: list[str]
    lanes: tuple[str, ...]
    truth: Floats
    scores: Floats
    costs: Floats
    answers: list[str] | None = None

    def lines(self) -> list[dict[str, object]]:
        """As `lf learn --eval` reads it."""
        cheapest = self.lanes[int(self.costs.argmin())]
        told = []
        for row, prompt in enumerate(self.prompts):
            line: dict[str, object] = {
                "prompt": prompt,
                "scores": dict(zip(self.lanes, self.scores[row].tolist(), strict=True)),
                "cost": dict(zip(self.lanes, self.costs.tolist(), strict=True)),
            }
            if self.answers is not None:
                line["answers"] = {cheapest: self.answers[row]}
            told.append(line)
        return told


def sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x)), np.float64)


def vocabulary(rng: np.random.Generator, size: int) -> list[str]:
    """Words that nobody knows, of two to four syllables."""
    heads, tails = "bdfgklmnprstvz", "aeiou"
    return [
        "".join(heads[rng.integers(14)] + tails[rng.integers(5)] for _ in range(rng.integers(2, 5)))
        for _ in range(size)
    ]


def planted(n: int, seed: int) -> World:
    """Two topics: one lane is good at the first, one at the second, and a cheap one is fair at both."""
    rng = np.random.default_rng(seed)
    code = [
        "python",
        "function",
        "loop",
        "list",
        "error",
        "class",
        "import",
        "test",
        "bug",
        "compile",
        "return",
        "array",
        "index",
        "string",
        "thread",
    ]
    verse = [
        "poem",
        "verse",
        "rhyme",
        "love",
        "autumn",
        "river",
        "moon",
        "stanza",
        "metaphor",
        "sonnet",
        "heart",
        "garden",
        "sea",
        "silence",
        "winter",
    ]
    common = [
        "please",
        "write",
        "me",
        "a",
        "short",
        "one",
        "about",
        "the",
        "with",
        "and",
        "for",
        "in",
        "of",
        "that",
        "is",
        "my",
        "new",
        "it",
    ]
    topic = rng.integers(2, size=n)
    prompts = [
        " ".join([*rng.choice(common, 6), *rng.choice((code, verse)[t], 4), *rng.choice(common, 3)]) for t in topic
    ]
    truth = np.where(topic[:, None] == 0, [0.9, 0.4, 0.5], [0.4, 0.9, 0.5])
    return World(
        prompts,
        ("coder", "poet", "cheap"),
        truth,
        (rng.random(truth.shape) < truth).astype(float),
        np.array([2.0, 2.0, 0.2]),
    )


NAMES = [
    "Janet",
    "Kylar",
    "Wendi",
    "Carla",
    "Josh",
    "Toula",
    "Marissa",
    "Tom",
    "Raymond",
    "Ali",
    "Hana",
    "Peter",
    "Gloria",
    "Luis",
    "Mei",
    "Omar",
]
THINGS = [
    "eggs",
    "apples",
    "books",
    "pencils",
    "tickets",
    "marbles",
    "cookies",
    "bottles",
    "stamps",
    "chairs",
    "lamps",
    "cards",
    "shirts",
    "ducks",
]
EASY = (
    "{name} has {a} {thing}.",
    "{name} buys {a} more {thing}.",
    "Then {name} gives away {b} of them.",
    "There are {a} {thing} in a box.",
    "{name} sells {b} {thing} for ${a}.",
    "A friend brings {a} {thing}.",
)
HARD = (
    "{name} loses {b}% of the {thing}.",
    "The price rises by {b} percent after the first {a} {thing}.",
    "Half of the remaining {thing} are broken.",
    "{name} works {a} hours at a rate of ${b} per hour, and overtime is 1.5 times that.",
    "{other} has twice as many {thing} as {name}, and a third of what is left is sold.",
    "For every {b} {thing} there is one free.",
)
ASKS = ("How many {thing} are there in total?", "How much money does {name} have?", "How many {thing} are left?")


def word_problems(n: int, seed: int) -> World:
    """Problems of one to eight steps: the more and the harder, the less a weak model gets right. Answers are written out."""
    rng = np.random.default_rng(seed)
    prompts, steps, hard = [], np.zeros(n), np.zeros(n)
    for row in range(n):
        steps[row] = rng.integers(2, 9)
        name, other = rng.choice(NAMES, 2, replace=False)
        thing = rng.choice(THINGS)
        said = []
        for _ in range(int(steps[row])):
            difficult = rng.random() < 0.3
            hard[row] += difficult
            form = rng.choice(HARD if difficult else EASY)
            said.append(form.format(name=name, other=other, thing=thing, a=rng.integers(2, 90), b=rng.integers(2, 40)))
        said.append(str(rng.choice(ASKS)).format(name=name, thing=thing))
        prompts.append(" ".join(said))
    unseen = rng.normal(0, 1.3, n)  # what makes a problem hard that no feature shows
    weak = sigmoid(2.4 - 0.22 * steps - 0.35 * hard + unseen + rng.normal(0, 0.7, n))
    strong = sigmoid(3.1 - 0.08 * steps - 0.12 * hard + 0.8 * unseen + rng.normal(0, 0.7, n))
    truth = np.column_stack([weak, strong])
    scores = (rng.random(truth.shape) < truth).astype(float)
    answers = [_worked(rng, int(k), right=bool(score)) for k, score in zip(steps, scores[:, 0], strict=True)]
    return World(prompts, ("weak", "strong"), truth, scores, np.array([0.3, 6.0]), answers)


def _worked(rng: np.random.Generator, steps: int, *, right: bool) -> str:
    """A worked answer. Wrong ones are more often cut, unfinished, wrong in a sum or without a whole number."""
    value, lines = int(rng.integers(5, 60)), []
    slip = not right and rng.random() < 0.15
    for step in range(steps):
        more = int(rng.integers(2, 30))
        total = value + more + (int(rng.integers(1, 9)) if slip and step == steps - 1 else 0)
        lines.append(f"So that is {value} + {more} = {total} of them.")
        value = total
    if rng.random() < (0.03 if right else 0.3):
        return " ".join(lines)[: -int(rng.integers(3, 20))]
    odd = rng.random() < (0.03 if right else 0.2)
    return "\n".join([*lines, f"#### {value}{'.37' if odd else ''}"])


def multiple_choice(n: int, seed: int, topics: int = 57) -> World:
    """Questions of many subjects with words of their own; each lane is better at some of them."""
    rng = np.random.default_rng(seed)
    shared, zipf = vocabulary(rng, 400), 1 / np.arange(1, 401)
    words = [vocabulary(rng, 120) for _ in range(topics)]
    own = 1 / np.arange(1, 121)
    topic = rng.integers(topics, size=n)
    typical = rng.normal(3.4, 0.5, topics)
    sizes = np.exp(rng.normal(typical[topic], 0.4)).astype(int).clip(6, 300)
    prompts = []
    for row in range(n):
        mine = rng.random(sizes[row]) < 0.25
        drawn = np.where(
            mine,
            rng.choice(words[topic[row]], sizes[row], p=own / own.sum()),
            rng.choice(shared, sizes[row], p=zipf / zipf.sum()),
        )
        prompts.append(" ".join(drawn.tolist()) + "?\nA. one\nB. two\nC. three\nD. four\nAnswer:")
    ability = rng.normal(0, 0.7, topics)
    gap = rng.normal(0.9, 0.45, topics)
    unseen, long = rng.normal(0, 1.6, n), (np.log(sizes) - 3.4) * 0.35
    weak = sigmoid(1.1 + ability[topic] - long + unseen + rng.normal(0, 0.8, n))
    strong = sigmoid(1.1 + ability[topic] + gap[topic] + 0.9 * unseen + rng.normal(0, 0.8, n))
    truth = np.column_stack([weak, strong])
    return World(
        prompts, ("weak", "strong"), truth, (rng.random(truth.shape) < truth).astype(float), np.array([0.3, 6.0])
    )


def many_lanes(n: int, seed: int, lanes: int = 9) -> World:
    """Several kinds of tasks and as many lanes as one likes: dearer is better on the whole, not at everything."""
    rng = np.random.default_rng(seed)
    kinds, subjects = 6, 20
    shared, zipf = vocabulary(rng, 300), 1 / np.arange(1, 301)
    words = [vocabulary(rng, 80) for _ in range(kinds * subjects)]
    task = rng.integers(kinds, size=n)
    subject = task * subjects + rng.integers(subjects, size=n)
    typical = rng.normal(3.6, 0.8, kinds)
    sizes = np.exp(rng.normal(typical[task], 0.3)).astype(int).clip(5, 300)
    prompts = []
    for row in range(n):
        mine = rng.random(sizes[row]) < 0.2
        drawn = np.where(
            mine, rng.choice(words[subject[row]], sizes[row]), rng.choice(shared, sizes[row], p=zipf / zipf.sum())
        )
        prompts.append(f"{' '.join(drawn.tolist())}.")
    costs = np.exp(np.linspace(np.log(0.2), np.log(15), lanes))
    skill = np.linspace(-0.3, 1.6, lanes) + rng.normal(0, 0.3, lanes)
    by_kind = rng.normal(0, 0.7, (kinds, lanes)) + rng.normal(0, 0.8, (kinds, 1))
    by_subject = rng.normal(0, 0.3, (kinds * subjects, lanes)) + rng.normal(0, 0.5, (kinds * subjects, 1))
    unseen = rng.normal(0, 1.3, (n, 1)) + rng.normal(0, 0.9, (n, lanes))
    truth = sigmoid(skill + by_kind[task] + by_subject[subject] + unseen)
    return World(
        prompts,
        tuple(f"lane{each}" for each in range(lanes)),
        truth,
        (rng.random(truth.shape) < truth).astype(float),
        costs,
    )


def shuffled(world: World, seed: int) -> World:
    """The same, with labels that belong to other prompts."""
    order = np.random.default_rng(seed).permutation(len(world.prompts))
    return World(world.prompts, world.lanes, world.truth[order], world.scores[order], world.costs)


def halves(world: World, n: int, seed: int) -> tuple[Sequence[int], Sequence[int]]:
    """n prompts to learn from, and all others."""
    order = np.random.default_rng(seed).permutation(len(world.prompts))
    return order[:n].tolist(), order[n:].tolist()
