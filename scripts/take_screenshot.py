"""Take the README's picture anew: `uv run scripts/take_screenshot.py`. Needs Chromium.

The page as it comes, 1440 px wide, with answers of the embedded model. It is asked twice and the second time is
shown, when the model is in memory.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "page.png"
PROMPT = "Explain in a few sentences how a rainbow forms, and why it is curved."
LANES = 3
PATIENCE_MS = 120_000


def main() -> None:
    """Start the app, ask, and write the picture."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    app = subprocess.Popen(  # noqa: S603 - our own app
        [sys.executable, ROOT / "app.py", "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert app.stdout is not None  # noqa: S101 - it is a pipe
        url = app.stdout.readline().rsplit(maxsplit=1)[-1]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light")
            page.set_default_timeout(PATIENCE_MS)
            page.goto(url)
            expect(page.locator(".lf-table tbody tr")).to_have_count(LANES, timeout=PATIENCE_MS)
            for _ in range(2):
                ask(page)
            PICTURE.parent.mkdir(exist_ok=True)
            page.screenshot(path=PICTURE)
            browser.close()
    finally:
        app.terminate()
        app.wait()
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size // 1024} KiB")


def ask(page: Page) -> None:
    """Send the prompt and wait for all lanes."""
    page.locator("#prompt textarea").fill(PROMPT)
    page.locator("#prompt textarea").press("Control+Enter")
    expect(page.locator("#stop")).to_be_enabled(timeout=PATIENCE_MS)
    expect(page.locator("#send")).to_be_enabled(timeout=PATIENCE_MS)
    expect(page.locator(".lf-table .lf-done")).to_have_count(LANES, timeout=PATIENCE_MS)


if __name__ == "__main__":
    main()
