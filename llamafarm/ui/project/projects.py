"""Opening projects on the page: the operator's files, samples, paths, uploads, edits, and trust.

What comes from a browser is not trusted: nothing is resolved or started for it until a person who may (see
`llamafarm.access.operator`) presses "Trust this file".
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from llamafarm.access.operator import Rights
from llamafarm.config import addresses, load, parse, read_text, sample_names, sample_path
from llamafarm.config.model import Loaded
from llamafarm.config.reading.read import read_file
from llamafarm.config.secrets.restore import restored
from llamafarm.core.errors import ConfigError, Problem, RequestError
from llamafarm.runtime import Runtime
from llamafarm.ui.sessions import MAX_LANES, Session

SUFFIXES = (".yaml", ".yml", ".json", ".toml")
FOUND = "this-machine.yaml"
OPERATOR, SAMPLE = "operator:", "sample:"


@dataclass(frozen=True, slots=True)
class Projects:
    """Makes sessions out of what a person opens on the page.

    `reached`: others than the operator use the server, so that a file which is not trusted calls the internet alone.
    """

    runtime: Runtime
    reached: bool = False

    def sources(self) -> list[tuple[str, str]]:
        """What can be opened by name: (what is shown, key). The first is what a new tab shows."""
        own = [entry.path for entry in self.runtime.library.entries]
        samples = {sample_path(name): name for name in sample_names()}
        shown = {path.absolute() for path in own}
        names = Counter(path.name for path in own)
        listed = [(_title(path, samples, names), _key(path)) for path in own]
        return listed + [(f"sample: {name}", f"{SAMPLE}{name}") for path, name in samples.items() if path not in shown]

    async def named(self, key: str) -> Session:
        """The session for an entry of `sources`; raises RequestError for anything else."""
        if key not in {known for _, known in self.sources()}:
            raise RequestError("This project is not in the list.")
        if key.startswith(SAMPLE):
            return await self._file(sample_path(key.removeprefix(SAMPLE)), source=key)
        library = self.runtime.library
        await library.refresh()
        entry = next((each for each in library.entries if _key(each.path) == key), None)
        if entry is None:
            raise RequestError("This project is no longer in the list.")
        return Session(entry.loaded, text=entry.loaded.text, title=entry.path.name, source=key, broken=entry.broken)

    async def path(self, text: str, rights: Rights) -> Session:
        """The session for a file of this machine; raises RequestError where this browser may not name one."""
        if not rights.paths:
            raise RequestError(f"This page can't open files by path. {rights.how('--allow-paths')}")
        path = await asyncio.to_thread(Path(text.strip()).expanduser)
        if path.suffix.lower() not in SUFFIXES:
            raise RequestError(f"A project file ends in {', '.join(SUFFIXES)}.")
        if not await asyncio.to_thread(path.is_file):
            raise RequestError(f"There is no file {path}.", hint="Write the whole path.")
        return await self._file(path)

    async def _file(self, path: Path, source: str | None = None) -> Session:
        loaded = await asyncio.to_thread(load, path)
        return Session(loaded, text=loaded.text, title=path.name, source=source)

    async def text(self, text: str, name: str) -> Session:
        """The session for a file's text from the browser, not trusted."""
        loaded = await self._parse(text, name, trusted=False)
        shown = loaded.text if loaded.project else text  # what can't be read yet is still being written
        return Session(loaded, text=shown, title=name, raw=text)

    async def edited(self, text: str, session: Session) -> Session:
        """The session for the editor's text, not trusted; what was hidden in it is as `session` has it."""
        return await self.text(await asyncio.to_thread(_restored, text, session), session.title)

    async def upload(self, upload: Mapping[str, str]) -> Session:
        """The session for a file from the browser: {"name", "data" as base64}; not trusted.

        Raises RequestError where the browser sent no file or refused to read it.
        """
        if "data" not in upload:
            raise RequestError(upload.get("refused") or "No file was chosen.")
        name = upload.get("name", "upload.yaml")
        try:
            return await self.text(read_text(base64.b64decode(upload["data"], validate=True)), name)
        except binascii.Error:
            raise RequestError("The browser's upload can't be read.") from None
        except ConfigError as error:
            problems = error.problems or (Problem(None, "", str(error)),)
            return Session(Loaded(project=None, errors=problems), title=name)

    async def found(self, text: str) -> Session:
        """The session for the project of what was found on this machine, which the playground wrote itself.

        Models that need a key take part once somebody chooses them: they cost money.
        """
        loaded = await self._parse(text, FOUND, trusted=True)
        session = Session(loaded, text=loaded.text, title=FOUND, raw=text)
        free = [model.name for model in session.models if model.usable and model.key_variable is None]
        session.chosen = (free or session.chosen)[:MAX_LANES]
        return session

    async def trust(self, session: Session, rights: Rights) -> Session:
        """The same text as a trusted project; raises RequestError where this browser may not trust files."""
        if not rights.trust:
            raise RequestError(f"This page can't trust files. {rights.how('--trust-uploads')}")
        if session.loaded.more_asks:
            raise RequestError("This file asks for more than anybody can read: it can't be trusted.")
        loaded = await self._parse(session.raw or session.text, session.title, trusted=True)
        return Session(loaded, text=session.text, title=session.title, raw=session.raw)

    async def check(self, text: str, session: Session) -> Loaded:
        """What is wrong with the editor's text, without opening it."""
        text = await asyncio.to_thread(_restored, text, session)
        return await self._parse(text, session.title, trusted=False)

    async def _parse(self, text: str, name: str, *, trusted: bool) -> Loaded:
        own = (entry.project for entry in self.runtime.library.entries)
        known = frozenset().union(*(addresses(project) for project in own if project is not None))
        return await asyncio.to_thread(
            parse, text, name=name, trusted=trusted, known_addresses=known, outside_only=self.reached
        )


def _key(path: Path) -> str:
    """What stands for an operator's file in the page: which folder it is in is nobody's business there."""
    return OPERATOR + hashlib.sha256(str(path).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _restored(text: str, session: Session) -> str:
    """`text` with the secrets that it was shown without. Blocks."""
    before, source = session.raw, session.project.source if session.project else None
    if not before and source is not None:
        try:
            before = read_text(read_file(source))
        except ConfigError:  # it has gone meanwhile
            return text
    return restored(text, before, session.title) if before else text


def _title(path: Path, samples: Mapping[Path, str], names: Mapping[str, int]) -> str:
    """How a file is listed: a sample by its name, others by the file's, with the folder where two share it."""
    if path.absolute() in samples:
        return f"sample: {samples[path.absolute()]}"
    return path.name if names[path.name] == 1 else f"{path.absolute().parent.name}/{path.name}"
