"""Maps the column names of other tools to those of a prompt file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

# Without what is no letter, in small letters.
EXPECTED = {
    "expected", "expectedoutput", "expectedanswer", "expectedresult", "expectedresponse", "expectedvalue", "answer",
    "answers", "correct", "correctanswer", "rightanswer", "ideal", "idealanswer", "idealoutput", "reference",
    "references", "referenceanswer", "referenceoutput", "target", "targets", "targetoutput", "output", "outputs",
    "label", "gold", "golden", "goldanswer", "goldlabel", "groundtruth", "truth", "solution", "response", "completion",
    "result", "antwort", "erwartet", "respuesta", "réponse",
}  # fmt: skip
PROMPT = {
    "question", "questions", "query", "queries", "input", "inputs", "text", "instruction", "instructions", "message",
    "usermessage", "user", "request", "task", "content", "userprompt", "prompttext", "prompts", "promptinput",
    "problem", "frage", "pregunta",
}  # fmt: skip
SYSTEM = {"systemprompt", "systemmessage", "systeminstruction", "systeminstructions", "developer"}
ID = {"identifier", "key", "questionid", "promptid", "rowid", "uid", "uuid", "guid", "nr", "number", "index", "qid"}
CHECKS = {"check", "assert", "asserts", "assertion", "assertions"}


def _bare(name: str) -> str:
    return "".join(sign for sign in name.lower() if sign.isalpha())


def place(name: str) -> str:
    """The column in braces."""
    return f"{{{{{name}}}}}"


def offers(names: Iterable[str]) -> list[str]:
    """A sentence for each column that may be what we know by another name, and one for all others."""
    told, others = [], []
    for name in names:
        bare = _bare(name)
        if bare in EXPECTED:
            told.append(
                f"Column {name} fills nothing. If it is the expected answer, name it expected, "
                f"or check contains:{place(name)}."
            )
        elif bare in PROMPT:
            told.append(f"Column {name} fills nothing. A prompt for all rows takes it: {place(name)}.")
        elif bare in SYSTEM:
            told.append(f"Column {name} fills nothing. If it is each row's system prompt, name it system.")
        elif bare in CHECKS:
            told.append(f"Column {name} fills nothing. If it holds checks, such as contains:Paris, name it checks.")
        elif bare in ID:
            told.append(f"Column {name} fills nothing. If it names the rows, name it id.")
        else:
            others.append(name)
    if others:
        verb = "fills" if len(others) == 1 else "fill"
        told.append(
            f"{'Column' if len(others) == 1 else 'Columns'} {', '.join(others)} {verb} nothing. "
            f"Written into a prompt, {place(others[0])} is filled in."
        )
    return told


def prompt_column(names: Sequence[str]) -> str:
    """The column that most likely holds the prompts."""
    return next((name for name in names if _bare(name) in PROMPT), names[0])
