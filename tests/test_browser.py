"""The notebooks in JupyterLab, in a real browser; screenshots of them go to outputs/browser."""

import io
import json
import os
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lab import command_line

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
SCREENSHOTS = ROOT / "outputs" / "browser"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
WAIT = 3_600_000  # milliseconds, which no machine is too busy for

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]


@pytest.fixture
def lab(tmp_path):
    """JupyterLab on a copy of the notebooks and scripts; returns its address and its token."""
    folder = tmp_path / "lab"
    for name in ("notebooks", "support"):
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
            while True:
                try:
                    urllib.request.urlopen(f"{address}/api/status?token={token}").close()
                    break
                except OSError:
                    assert server.poll() is None, (folder / "log").read_text()
                    time.sleep(0.1)
            yield address, token
        finally:
            server.terminate()
            server.wait(WAIT / 1000)


@pytest.fixture
def page(lab):
    """A page of a browser that reaches JupyterLab and nothing else."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright isn't installed")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    options = ["--disable-dev-shm-usage", *(["--no-sandbox"] if as_root else [])]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=options)
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
        browser.close()
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


class Board:
    """The first playground of a page, as its user sees it."""

    def __init__(self, page):
        self.page = page
        self.area = page.locator(".jp-OutputArea-output", has=page.get_by_text("Reset")).first
        self.image = self.area.locator("img").first
        self.alert = self.area.get_by_role("alert")

    def press(self, name):
        self.area.locator("button", has_text=re.compile(rf"^\s*{name}\s*$")).click()

    def row(self, label):
        """Return the row of a control by the text before it."""
        text = self.page.get_by_text(label, exact=True)
        return (
            self.area.locator(".widget-hbox.widget-inline-hbox, .jupyter-widgets")
            .filter(has=text)
            .last
        )

    def slide(self, label, key):
        """Move a slider by a key."""
        handle = self.row(label).locator(".noUi-handle")
        handle.focus()
        handle.press(key)

    def type(self, label, text):
        """Type into the box of a control."""
        row = (
            self.area.locator(".widget-hbox")
            .filter(has=self.page.get_by_text(label, exact=True))
            .last
        )
        box = row.locator("input[type=text]").last
        box.fill(text)
        box.press("Enter")

    def figure(self, pattern):
        found = re.search(pattern, self.area.locator("table").first.inner_text())
        return float(found[1].replace(",", ""))

    @property
    def epoch(self):
        return self.figure(r"epoch\s+([\d,]+)")

    @property
    def test_accuracy(self):
        return self.figure(r"test\s+([\d.]+) %")

    @property
    def command(self):
        return self.area.locator("pre").first.inner_text().strip()

    def plane(self):
        """Return the decision boundary's part of the picture as an array."""
        image = Image.open(io.BytesIO(self.image.screenshot())).convert("RGB")
        return np.asarray(image.resize((210, 103)), float)[5:90, 12:96]

    def wait(self, condition, what):
        end = time.monotonic() + WAIT / 1000
        while not condition():
            assert time.monotonic() < end, f"{what}: {self.area.inner_text()[:300]}"
            self.page.wait_for_timeout(50)


def run_all(page, lab):
    """Run the playground's notebook and return its first playground, in view."""
    open_notebook(page, lab, "05_playground.ipynb")
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    board = Board(page)
    board.area.wait_for()
    page.wait_for_function("!document.querySelector('.jp-Notebook').innerText.includes('[*]')")
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    board.area.evaluate("area => area.scrollIntoView()")
    return board


def test_the_playground_trains_and_follows_its_controls(page, lab, tmp_path):
    board = run_all(page, lab)
    shot(board, "at_rest")
    assert (board.epoch, board.command) == (0, "python train.py")

    before = board.plane()
    board.press("Train")
    frames = count_frames(board)
    print(f"\n{frames:.1f} pictures a second in the browser")
    board.wait(lambda: board.test_accuracy > 95, "95 %")
    shot(board, "training")
    assert np.abs(board.plane() - before).mean() > 20  # of 255

    at = board.epoch
    board.slide("learning rate", "ArrowLeft")
    board.wait(lambda: "--lr 0.03" in board.command, "another learning rate")
    assert board.epoch >= at  # the training goes on
    board.slide("noise", "ArrowRight")
    board.wait(lambda: "--noise 0.05" in board.command, "another noise")
    board.type("learning rate", "0.2")
    board.wait(lambda: board.epoch > 20, "training after the changes")
    assert board.alert.count() == 0

    board.press("Reset")
    board.wait(lambda: board.epoch < 60, "a new start")
    board.wait(lambda: board.test_accuracy > 80, "training after Reset")
    board.press("Pause")
    page.wait_for_timeout(500)
    at, accuracy = board.epoch, board.test_accuracy
    page.wait_for_timeout(1000)
    assert board.epoch == at
    board.press("Step")
    board.wait(lambda: board.epoch == at + 1, "one epoch more")
    accuracy = board.test_accuracy

    command = f"python train.py --noise 0.05 --lr 0.2 --epochs {at + 1:.0f}"
    assert board.command == command
    board.area.get_by_role("button", name="Copy").first.click()
    assert page.evaluate("navigator.clipboard.readText()").strip() == command
    command_line.main([*shlex.split(command)[2:], "--out", str(tmp_path)])
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    of_script = metrics["models"]["CircleModelV2"]["test_accuracy"]
    assert accuracy == pytest.approx(100 * of_script, abs=0.005)
    check_no_error(page)


def test_the_playground_shows_classes_layers_and_errors(page, lab):
    board = run_all(page, lab)
    board.area.get_by_label("data set").select_option("spirals")
    board.wait(lambda: "--data spirals" in board.command, "spirals")
    board.type("classes", "3")
    board.wait(lambda: "--classes 3" in board.command, "three classes")
    board.area.locator("button", has_text="layer").first.click()
    board.wait(lambda: "16x16x16" in board.command, "three layers")
    board.area.get_by_label("activation").select_option("tanh")
    board.wait(lambda: "--activation tanh" in board.command, "tanh")
    assert "nn.CrossEntropyLoss" in board.area.locator("pre").last.inner_text()
    board.press("Train")
    board.wait(lambda: board.epoch > 300, "300 epochs")
    board.press("Pause")
    shot(board, "three_classes")

    board.area.get_by_label("data set").select_option("a CSV file")
    board.alert.wait_for()
    box = board.area.get_by_placeholder("points.csv")
    box.fill("nowhere.csv")
    box.press("Enter")
    board.wait(lambda: "can't be read" in board.alert.inner_text(), "a sentence about the file")
    shot(board, "error")
    assert board.epoch > 300  # the model is still there
    check_no_error(page)


def shot(board, name):
    board.area.evaluate("area => area.scrollIntoView()")
    board.page.wait_for_timeout(300)
    board.page.screenshot(path=SCREENSHOTS / f"05_playground_{name}.png")


def count_frames(board, seconds=4):
    """Return how many pictures a second the browser gets while it trains."""
    count = """async ([image, seconds]) => {
        let frames = 0;
        const watch = new MutationObserver(() => frames++);
        watch.observe(image, {attributes: true, attributeFilter: ["src"]});
        await new Promise(done => setTimeout(done, 1000 * seconds));
        return frames / seconds;
    }"""
    return board.page.evaluate(count, [board.image.element_handle(), seconds])
