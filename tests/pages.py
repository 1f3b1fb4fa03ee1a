"""The project's pages in Markdown, as tests read them: blocks of code, headings, sections, links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Page:
    """One Markdown file of the repository, `name` from its root."""

    name: str

    @cached_property
    def text(self) -> str:
        return (ROOT / self.name).read_text(encoding="utf-8")

    @cached_property
    def prose(self) -> str:
        """The text with every letter of its fenced blocks as a blank, so that places stay the same."""
        return FENCE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), self.text)

    def section(self, title: str) -> str:
        """The text under the heading `title` (with its signs), to the next one of its level or above."""
        found = re.search(rf"^{re.escape(title)}$", self.prose, re.MULTILINE)
        assert found, f"{self.name} has no section {title}"
        level = len(title) - len(title.lstrip("#"))
        end = re.compile(rf"^#{{1,{level}}} ", re.MULTILINE).search(self.prose, found.end())
        return self.text[found.end() : end.start() if end else None]

    @cached_property
    def anchors(self) -> list[str]:
        """What each heading can be linked by, as GitHub makes it."""
        headings = re.findall(r"^#+ (.*)$", self.prose, re.MULTILINE)
        return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]

    @cached_property
    def links(self) -> list[tuple[Path, str]]:
        """Each link to a file of the repository, as that file and the anchor in it, which may be empty."""
        found = re.findall(r"\]\((?!\w+:)([^)#]*)(?:#([^)]*))?\)", self.prose)
        here = ROOT / self.name
        return [((here.parent / path).resolve() if path else here, anchor) for path, anchor in found]


README, ARCHITECTURE = Page("README.md"), Page("ARCHITECTURE.md")
GUIDE, PROJECT_FILE, COMMANDS = Page("docs/guide.md"), Page("docs/project-file.md"), Page("docs/commands.md")
API, SECURITY = Page("docs/api.md"), Page("docs/security.md")
PAGES = [Page(str(path.relative_to(ROOT))) for path in (*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md")))]


def blocks(language: str, *texts: str) -> list[str]:
    """The fenced blocks of `language` in `texts`, in their order."""
    return [
        block for text in texts for block in re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]
