"""The notebooks in JupyterLab, in a real browser; screenshots of them go to outputs/browser."""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from chromium import CHROMIUM, SCREENSHOTS, chromium

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
WAIT = 120_000  # milliseconds

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]


@pytest.fixture
def lab(tmp_path):
    """JupyterLab on a copy of the notebooks and scripts; returns its address and its token."""
    folder = tmp_path / "lab"
    for name in ("notebooks", "support", "lab", "page"):
        shutil.copytree(ROOT / name, folder / name)
    for path in ROOT.glob("*.py"):
        shutil.copy(path, folder)
    settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex()
    own = {f"JUPYTER_{name}_DIR": str(folder / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    own |= {"JUPYTERLAB_SETTINGS_DIR": str(folder / "settings")}
    own |= {"JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces")}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    command += ["--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"]
    command += ["--LabApp.extension_manager=readonly", f"--ServerApp.root_dir={folder}"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    address = f"http://127.0.0.1:{port}"
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            command, cwd=folder, env=os.environ | own, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            for _ in range(600):
                try:
                    urllib.request.urlopen(f"{address}/api/status?token={token}").close()
                    break
                except OSError:
                    assert server.poll() is None, (folder / "log").read_text()
                    time.sleep(0.1)
            yield address, token
        finally:
            server.terminate()
            server.wait(30)


@pytest.fixture
def page(lab):
    """A page of a browser that reaches JupyterLab and nothing else."""
    with chromium() as browser:
        context = browser.new_context(
            viewport={"width": 1280, "height": 800},
            permissions=["clipboard-read", "clipboard-write"],
        )
        elsewhere = []

        def route(route):
            if route.request.url.startswith(lab[0]):
                route.continue_()
            else:
                elsewhere.append(route.request.url)
                route.abort()

        context.route(re.compile("^https?:"), route)
        page = context.new_page()
        page.set_default_timeout(WAIT)
        yield page
    assert not elsewhere


def open_notebook(page, lab, name):
    address, token = lab
    page.goto(f"{address}/lab/tree/notebooks/{name}?reset&token={token}")
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()


def check_no_error(page, allowed=0):
    assert page.locator(".jp-Dialog").count() == 0
    errors = page.locator("[data-mime-type='application/vnd.jupyter.stderr']")  # tracebacks, too
    assert errors.count() == allowed


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_opens_and_shows_all_its_pictures(page, lab, name):
    stored = json.loads((ROOT / "notebooks" / name).read_text())
    outputs = [output for cell in stored["cells"] for output in cell.get("outputs", [])]
    open_notebook(page, lab, name)
    page.set_viewport_size({"width": 1280, "height": 12_000})  # so that all of it is drawn
    images = page.locator(".jp-OutputArea-output img")
    count = sum("image/png" in output.get("data", {}) for output in outputs)
    page.wait_for_function(
        "count => document.querySelectorAll('.jp-OutputArea-output img').length >= count",
        arg=count,
    )
    page.wait_for_timeout(1000)
    widths = images.evaluate_all("images => images.map(image => image.naturalWidth)")
    assert len(widths) == count
    assert all(width > 100 for width in widths)
    assert page.locator(".jp-MarkdownCell h1").count() >= 1
    check_no_error(page, sum(output["output_type"] == "error" for output in outputs))
    last = page.locator(".jp-Notebook .jp-Cell").last.bounding_box()
    page.set_viewport_size({"width": 1280, "height": round(last["y"] + last["height"]) + 60})
    page.screenshot(path=SCREENSHOTS / f"{Path(name).stem}.png")


def test_the_page_trains_in_a_notebook(page, lab):
    open_notebook(page, lab, "08_playground.ipynb")
    page.locator(".jp-Notebook").click()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    frame = page.frame_locator(".jp-OutputArea-output iframe").first
    frame.get_by_role("button", name="Train").click()
    right = re.compile(r"^(9[89]|100)\.\d %$")
    frame.locator(".network").last.locator(".score", has_text=right).wait_for()
    frame.get_by_role("button", name="Pause").click()
    page.locator(".jp-OutputArea-output iframe").first.scroll_into_view_if_needed()
    page.screenshot(path=SCREENSHOTS / "08_playground_trained.png")
    check_no_error(page)
