"""A headless Chromium for tests, and the folder for its screenshots."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

SCREENSHOTS = Path(__file__).parent.parent / "outputs" / "browser"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)


@contextmanager
def chromium():
    """Start the browser; without one, or without Playwright, the test is skipped."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright isn't installed")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    options = ["--disable-dev-shm-usage", *(["--no-sandbox"] if as_root else [])]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=options)
        try:
            yield browser
        finally:
            browser.close()
