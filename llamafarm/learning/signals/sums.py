"""Sums that an answer writes out, `16 - 3 = 13`, and whether they are right. No code of an answer is run."""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST = 20_000  # letters of an answer that are looked at
_FIGURE = r"[$€£]?\s?\d[\d,]*(?:\.\d+)?%?"
_SUM = re.compile(
    rf"(?P<left>{_FIGURE}(?:\s*(?:[-+*/×÷·−–]|\\times|\\div|x)\s*{_FIGURE}){{1,8}})\s*=\s*(?P<right>[-−]?{_FIGURE})"
)
_PIECE = re.compile(rf"{_FIGURE}|[-+*/×÷·−–x]|\\times|\\div")
_JOINS = "+-*/×÷·−–^)%_"  # before a sum: then it is only the end of a longer one
_TIMES, _OVER, _LESS = {"*", "×", "·", "x", "\\times"}, {"/", "÷", "\\div"}, {"-", "−", "–"}


def written_sums(text: str) -> Iterator[bool]:
    """For each sum that is written out in full whether its result is right, as far as rounding lets one tell."""
    shown = text[:LONGEST]
    for match in _SUM.finditer(shown):
        before = shown[: match.start()].rstrip(" $€£(")
        after = shown[match.end() : match.end() + 2].lstrip()
        if (before[-1:] in _JOINS and before[-1:]) or after[:1] in tuple("/*×÷^:"):
            continue
        value, told = _value(match["left"]), match["right"]
        if value is not None:
            near, said = _unit(told), _number(told.replace("%", ""))
            yield abs(value - said) <= near or ("%" in told and abs(value * 100 - said) <= near)


def _unit(figure: str) -> float:
    """By how much a result may be off that was rounded, or cut, to as many decimals."""
    decimals = len(figure.strip("% ").partition(".")[2])
    return 1.01 * 10.0**-decimals if decimals else 0.51


def _number(text: str) -> float:
    clean = text.replace(",", "").replace("−", "-").strip("$€£% ")
    sign = -1 if clean.startswith("-") else 1
    share = 0.01 if text.endswith("%") else 1
    return sign * float(clean.lstrip("-$€£ ")) * share


def _value(text: str) -> float | None:
    """The value of figures joined by the four operations, products first; None where it divides by zero."""
    pieces = _PIECE.findall(text)
    total, sign, product = 0.0, 1, _number(pieces[0])
    for join, figure in zip(pieces[1::2], pieces[2::2], strict=False):
        number = _number(figure)
        if join in _TIMES:
            product *= number
        elif join in _OVER:
            if number == 0:
                return None
            product /= number
        else:
            total, product, sign = total + sign * product, number, -1 if join in _LESS else 1
    return total + sign * product
