"""The way around the page: its pages, its drawer, and what its buttons fold out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect


def go(page: Page, name: str) -> None:
    """To another page, by the rail."""
    link = page.locator(".lf-rail a", has_text=name)
    link.click()
    expect(link).to_have_attribute("aria-current", "page")


def show(page: Page, part: str) -> None:
    """Fold out the drawer, the options or what can be shared."""
    if not page.locator(f"#{part}").is_visible():
        page.locator(f"[data-toggle={part}][aria-controls]").click()
    expect(page.locator(f"#{part}")).to_be_visible()


def hide(page: Page, part: str) -> None:
    """Fold it away again."""
    if part == "drawer":
        page.locator("#drawer .lf-close").click()
    else:
        page.locator(f"[data-toggle={part}][aria-controls]").click()
    expect(page.locator(f"#{part}")).to_be_hidden()


@contextmanager
def within(page: Page, part: str) -> Iterator[None]:
    """What is done within is done in that part, which is folded away afterwards."""
    show(page, part)
    yield
    hide(page, part)
