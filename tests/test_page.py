"""The page as its user meets it: built as one file, its controls, pictures, links and films."""

import io
import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from chromium import SCREENSHOTS, chromium
from PIL import Image

from lab.page import build_page, film_page, film_run, show_page, write_page
from model import CircleModelV0, CircleModelV2
from train import evaluate, make_data, train

ROOT = Path(__file__).parent.parent
EXPERIMENTS = 15


# The file


def test_the_page_in_docs_is_what_the_source_gives():
    assert (ROOT / "docs" / "index.html").read_text(encoding="utf-8") == build_page()


def test_the_page_is_one_file_that_needs_no_network(tmp_path):
    write_page(tmp_path / "index.html")
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert page == build_page()
    assert not re.search(r"https?:|src=\"|@import|url\(|fetch\(|import\(|XMLHttpRequest", page)
    assert re.findall(r"<link [^>]*>", page) == ['<link rel="icon" href="data:,">']
    for source in (ROOT / "page").glob("*.js"):
        assert source.read_text(encoding="utf-8") in page


def test_what_a_run_holds_can_t_end_the_script():
    data = make_data(samples=20)
    data = type(data)(data.X_train, data.y_train, data.X_test, data.y_test, ("</script>", "<!--"))
    model = CircleModelV2()
    page = film_page(data, [model], [0], [[model.state_dict()]])
    run = re.search(r'<script type="application/json" id="run">(.*?)</script>', page)[1]
    assert "<" not in run
    assert json.loads(run)["data"]["classNames"] == ["</script>", "<!--"]


def test_a_page_has_room_for_so_many_points_and_weights():
    data = make_data(samples=30_000)
    model = CircleModelV2(hidden_units=300)
    state = model.state_dict()
    run = film_run(data, [model], range(50), [[state] * 50])
    assert len(run["data"]["train"]["y"]) == len(run["data"]["test"]["y"]) == 5000
    assert run["data"]["count"] == 30_000
    assert run["epochs"][0] == 0
    assert run["epochs"][-1] == 49
    assert len(run["epochs"]) == len(run["models"][0]["states"]) == 10  # of 91,501 weights each
    run = film_run(data, [model], [0, 5], [[state] * 2], {"data": "circles", "samples": 30_000})
    assert run["settings"]["data"] == "own"  # too many for the page to make by itself


@pytest.mark.parametrize(
    ("models", "got"),
    [
        ([], "got none"),
        ([torch.nn.Linear(2, 1)], "got Linear"),
        ([CircleModelV2(), CircleModelV2()], "got CircleModelV2, CircleModelV2"),
    ],
)
def test_a_film_refuses_other_models(models, got):
    states = [[model.state_dict()] for model in models]
    with pytest.raises(ValueError, match=f"models must be a CircleModelV0.*{got}"):
        film_page(make_data(samples=20), models, [0], states)


def test_a_film_refuses_states_that_don_t_fit_its_epochs():
    model = CircleModelV0()
    with pytest.raises(ValueError, match="one for each of the 2 epochs; got 1 of CircleModelV0"):
        film_page(make_data(samples=20), [model], [0, 1], [[model.state_dict()]])


# In the browser


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser, tmp_path):
    """Return a function that opens the page, or another one, as a user's browser would."""
    write_page(tmp_path / "index.html")
    contexts, said = [], []

    def visit(link="", page=None, width=1280, height=800, **options):
        path = tmp_path / "index.html"
        if page is not None:
            path = tmp_path / f"page_{len(contexts)}.html"
            path.write_text(page, encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": height},
            permissions=["clipboard-read", "clipboard-write"],
            offline=True,
            **options,
        )
        contexts.append(context)
        tab = context.new_page()
        tab.set_default_timeout(60_000)
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.goto(path.as_uri() + link)
        settle(tab)
        return tab

    yield visit
    for context in contexts:
        context.close()
    assert said == []


browser_test = pytest.mark.browser


def settle(tab):
    """Wait until nothing is left to draw, twice, as drawing may lay out anew."""
    for _ in range(2):
        tab.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")


def train_to(tab, epoch):
    tab.evaluate("epoch => app.train(epoch)", epoch)
    tab.wait_for_function("epoch => app.epoch === epoch && !app.running", arg=epoch)
    settle(tab)


def settings(tab):
    return tab.evaluate("app.settings")


def shot(tab, name):
    tab.screenshot(path=SCREENSHOTS / f"page_{name}.png", full_page=True)


def pixels(canvas):
    return np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("RGB"), float)


def shown_tip(tab):
    tip = tab.locator("#tip")
    assert tip.is_visible()  # what is hidden has a text, too
    return tip.inner_text()


def row(tab, name):
    return tab.locator(f'.row[data-setting="{name}"]')


def slide(tab, name, value):
    """Move a setting's slider to one of its usual values."""
    row(tab, name).locator("input[type=range]").evaluate(
        """(slider, [name, value]) => {
            slider.value = NUMBERS[name].usual.indexOf(value);
            slider.dispatchEvent(new Event("input", { bubbles: true }));
            slider.dispatchEvent(new Event("change", { bubbles: true }));
        }""",
        [name, value],
    )


def type_in(tab, name, text):
    box = row(tab, name).locator("input[type=text]")
    box.fill(text)
    box.press("Enter")


@browser_test
def test_train_pause_step_and_reset(visit):
    tab = visit()
    assert tab.locator("#epoch").inner_text() == "0"
    before = pixels(tab.locator(".plane").last)
    start = tab.evaluate("app.networks.map(n => n.model.tensors.flatMap(t => [...t]))")

    tab.get_by_role("button", name="Train").click()
    assert tab.locator("#step").is_disabled()
    tab.wait_for_function("app.networks.at(-1).last.testAcc > 0.95")
    tab.get_by_role("button", name="Pause").click()
    settle(tab)
    epoch = tab.evaluate("app.epoch")
    assert np.abs(pixels(tab.locator(".plane").last) - before).mean() > 10  # of 255
    assert tab.locator(".network").last.locator(".score").inner_text().startswith(("9", "100"))
    settle(tab)
    assert tab.evaluate("app.epoch") == epoch

    tab.get_by_role("button", name="Step").click()
    assert tab.evaluate("app.epoch") == epoch + 1
    assert f"--epochs {epoch + 1}" in tab.locator("#command").inner_text()
    tab.get_by_role("button", name="Reset").click()
    settle(tab)
    assert tab.locator("#epoch").inner_text() == "0"
    assert tab.evaluate("app.networks.map(n => n.model.tensors.flatMap(t => [...t]))") == start
    assert tab.evaluate("app.shadows.length") == 2  # the run before, in grey

    tab.evaluate("document.activeElement.blur()")
    tab.keyboard.press(" ")
    tab.wait_for_function("app.epoch > 0")
    tab.keyboard.press(" ")
    assert not tab.evaluate("app.running")


@browser_test
def test_the_line_stays_a_line_and_relu_makes_a_ring(visit):
    tab = visit()
    train_to(tab, 300)
    linear, relu = tab.evaluate("app.networks.map(n => n.last)")
    assert linear["testAcc"] < 0.6
    assert relu["testAcc"] > 0.99
    grids = tab.evaluate(
        """() => app.networks.map(network => {
            network.look(app.grid);
            return [...network.gridLogits[0].subarray(0, app.grid.n)].map(z => (z > 0 ? 1 : 0));
        })"""
    )
    side = tab.evaluate("app.grid.side")
    grids = np.array(grids).reshape(2, side, side)
    for turned in (grids[0], grids[0].T):  # a line crosses a row or a column once at most
        assert (np.abs(np.diff(turned, axis=1)).sum(axis=1) <= 1).all()
    ring = grids[1]
    assert ring[side // 2, side // 2] == 1
    edge = np.concatenate([ring[0], ring[-1], ring[:, 0], ring[:, -1]])
    assert (edge == 0).all()


@browser_test
def test_every_slider_box_and_list_is_followed(visit):
    tab = visit()
    numbers = tab.evaluate(
        "Object.entries(NUMBERS).map(([n, { usual, live }]) => [n, usual, !!live])"
    )
    tab.evaluate("app.change('data', 'spirals')")
    for name, usual, live in numbers:
        if name == "factor":
            tab.evaluate("app.change('data', 'circles')")
        if name == "classes":
            tab.evaluate("app.change('data', 'blobs')")
        tab.get_by_role("button", name="Step").click()
        epoch = tab.evaluate("app.epoch")
        assert epoch > 0
        value = usual[1] if name not in ("testSize", "batchSize") else usual[2]
        slide(tab, name, value)
        assert settings(tab)[name] == value
        assert tab.evaluate("app.epoch") == (epoch if live else 0)
        other = usual[-2] if name not in ("samples", "testSize") else usual[3]
        type_in(tab, name, str(other))
        assert settings(tab)[name] == other
        assert row(tab, name).locator("input[type=text]").get_attribute("aria-invalid") == "false"
    for name in ("data", "activation", "show"):
        select = row(tab, name).locator("select")
        for value in tab.evaluate("name => CHOICES[name].values", name):
            select.select_option(value)
            assert settings(tab)[name] == value
            train_to(tab, 2)
    assert tab.locator("#message").is_hidden()
    tab.evaluate("app.change('data', 'circles')")
    tab.locator("#set-batchNorm").check()
    assert settings(tab)["batchNorm"] is True


@browser_test
@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("lr", "fast", "The learning rate must be a number above 0."),
        ("lr", "0", "The learning rate must be a number above 0."),
        ("samples", "3", "The samples must be a whole number from 10 to 20,000."),
        ("factor", "1", "The inner radius must be a number from 0 to below 1."),
        ("noise", "all", "The noise must be a number from 0 to 100."),
        ("batchSize", "2.5", 'The batch size must be a whole number from 1, or "all".'),
        ("testSize", "0.9999", "The test share must leave at least 2 of the 1000 points"),
    ],
)
def test_what_can_t_be_is_refused_in_a_sentence(visit, name, text, sentence):
    tab = visit()
    train_to(tab, 3)
    before = settings(tab)
    type_in(tab, name, text)
    assert sentence in tab.get_by_role("alert").inner_text()
    assert row(tab, name).locator("input[type=text]").get_attribute("aria-invalid") == "true"
    assert (settings(tab), tab.evaluate("app.epoch")) == (before, 3)
    type_in(tab, name, "0.5" if name in ("noise", "factor", "testSize", "lr") else "100")
    assert tab.locator("#message").is_hidden()


@browser_test
def test_batch_norm_and_batches_of_two_exclude_each_other(visit):
    tab = visit()
    slide(tab, "batchSize", 2)
    tab.locator("#set-batchNorm").click()
    assert "batch size must be 3 or more" in tab.get_by_role("alert").inner_text()
    assert not tab.locator("#set-batchNorm").is_checked()


@browser_test
def test_layers_and_units_by_plus_and_minus(visit):
    tab = visit()
    tab.get_by_role("button", name="one more layer").click()
    assert settings(tab)["hiddenUnits"] == [16, 16, 16]
    tab.get_by_role("button", name="more units in layer 2").click()
    tab.get_by_role("button", name="fewer units in layer 3").click()
    assert settings(tab)["hiddenUnits"] == [16, 20, 12]
    box = tab.get_by_label("units in layer 1", exact=True)
    box.fill("7")
    box.press("Enter")
    assert settings(tab)["hiddenUnits"] == [7, 20, 12]
    box.fill("x")
    box.press("Enter")
    assert "There can be up to 12 hidden layers" in tab.get_by_role("alert").inner_text()
    for _ in range(3):
        tab.get_by_role("button", name="one layer fewer").click()
    assert settings(tab)["hiddenUnits"] == []
    train_to(tab, 3)
    for _ in range(2):
        tab.get_by_role("button", name="one more layer").click()
    assert settings(tab)["hiddenUnits"] == [16, 16]


@browser_test
def test_another_data_set_takes_over_all_that_goes_with_it(visit):
    tab = visit()
    data = row(tab, "data").locator("select")
    data.select_option("spirals")
    given = settings(tab)
    assert (given["hiddenUnits"], given["noise"], given["classes"]) == ([32, 32], 0.03, 2)
    data.select_option("moons")
    given = settings(tab)
    assert (given["hiddenUnits"], given["noise"], given["classes"]) == ([16, 16], 0.1, None)
    assert row(tab, "factor").is_hidden()
    assert row(tab, "noise").is_visible()


@browser_test
def test_a_live_change_goes_on_and_says_so(visit):
    tab = visit()
    train_to(tab, 5)
    type_in(tab, "lr", "0.05")
    assert tab.evaluate("app.epoch") == 5
    assert tab.evaluate("app.networks.map(n => n.training.settings.lr)") == [0.05, 0.05]
    assert "learning rate was 0.1" in tab.locator("#note").inner_text()
    type_in(tab, "lr", "0.1")
    assert tab.locator("#note").inner_text() == ""


@browser_test
def test_a_loss_that_overflows_pauses_with_a_sentence(visit):
    tab = visit("#activation=identity&lr=1000")
    tab.get_by_role("button", name="Train").click()
    tab.wait_for_function("!app.running")
    assert "The loss is no longer finite" in tab.get_by_role("alert").inner_text()
    tab.evaluate("app.change('lr', 0.1)")
    tab.get_by_role("button", name="Reset").click()
    train_to(tab, 10)
    assert tab.locator("#message").is_hidden()


# The experiments


@browser_test
def test_each_experiment_opens_and_says_why(visit):
    tab = visit()
    assert tab.evaluate("EXPERIMENTS.length") == EXPERIMENTS
    sentences = {tab.locator("#sentence").inner_text()}
    for _ in range(EXPERIMENTS - 1):
        tab.get_by_role("button", name="next experiment").click()
        sentences.add(tab.locator("#sentence").inner_text())
        assert tab.evaluate("app.epoch") == 0
        train_to(tab, 2)
    assert len(sentences) == EXPERIMENTS
    assert all(sentence.endswith(".") for sentence in sentences)
    tab.get_by_role("button", name="next experiment").click()
    assert tab.locator("#experiment").input_value() == "0"
    tab.get_by_role("button", name="previous experiment").click()
    assert tab.locator("#experiment").input_value() == str(EXPERIMENTS - 1)
    tab.locator("#experiment").select_option("3")
    assert settings(tab)["hiddenUnits"] == [3]
    tab.evaluate("app.change('hiddenUnits', [4])")  # it is another one now
    assert tab.locator("#sentence").inner_text() == ""


@browser_test
@pytest.mark.parametrize(
    ("name", "epochs", "claim"),
    [
        ("Two circles", 300, "linear.testAcc < 0.6 && bent.testAcc > 0.98"),
        ("Five linear layers", 300, "bent.testAcc < 0.6"),
        ("One unit", 300, "bent.trainAcc > 0.55 && bent.trainAcc < 0.65"),
        ("Three units", 1000, "bent.trainAcc > 0.95"),
        ("Spirals", 300, "bent.testAcc > 0.98 && linear.testAcc < 0.6"),
        ("The bent plane", 300, "bent.testAcc > 0.98"),
        ("Three classes", 300, "bent.testAcc > 0.97 && linear.testAcc < 0.4"),
        ("Squares as inputs", 100, "linear.testAcc > 0.99"),
        ("A sigmoid that doesn't move", 300, "bent.trainLoss > 0.69"),
        ("A step without slope", 300, "bent.trainAcc > 0.55 && bent.trainAcc < 0.75"),
        ("Dead ReLUs", 300, "bent.trainAcc < 0.55 && off() === 16"),
        ("Learning rate too high", 100, "rises() > 10 && bent.trainLoss > 0.69"),
        ("Too deep", 300, "bent.trainLoss > 0.69"),
        ("Noise by heart", 1000, "bent.trainLoss < 0.2 && bent.testLoss > 0.6"),
        ("Dropout against it", 1000, "bent.testLoss < 0.5 && bent.trainLoss > 0.2"),
    ],
)
def test_an_experiment_shows_what_it_says(visit, name, epochs, claim):
    tab = visit()
    number = tab.evaluate("name => EXPERIMENTS.findIndex(one => one.name === name)", name)
    tab.locator("#experiment").select_option(str(number))
    train_to(tab, epochs)
    shot(tab, f"experiment_{number + 1}")
    assert tab.evaluate(
        f"""() => {{
            const bent = app.networks.at(-1).last, linear = app.networks[0].last;
            const losses = app.networks.at(-1).history.trainLoss;
            const rises = () => losses.filter((loss, i) => i && loss > losses[i - 1]).length;
            const network = app.networks.at(-1);
            const off = () => network.units[1].out.filter((_, j) => isOff(network, 1, j)).length;
            return {claim};
        }}"""
    )


@browser_test
@pytest.mark.parametrize(
    ("name", "change", "epochs"),
    [
        ("A sigmoid that doesn't move", "app.change('lr', 1)", 1000),
        ("Too deep", "app.change('batchNorm', true)", 300),
    ],
)
def test_what_an_experiment_offers_as_a_remedy_helps(visit, name, change, epochs):
    tab = visit()
    number = tab.evaluate("name => EXPERIMENTS.findIndex(one => one.name === name)", name)
    tab.locator("#experiment").select_option(str(number))
    tab.evaluate(change)
    train_to(tab, epochs)
    assert tab.evaluate("app.networks.at(-1).last.testAcc") > 0.99


@browser_test
def test_a_step_trains_the_output_layer_alone(visit):
    tab = visit("#activation=step&show=one")
    weights = "app.networks[0].model.tensors.map(tensor => [...tensor])"
    before = tab.evaluate(weights)
    train_to(tab, 20)
    after = tab.evaluate(weights)
    assert after[:4] == before[:4]
    assert after[4] != before[4]


# Looking


@browser_test
def test_a_pointer_over_a_plane_shows_what_both_networks_say(visit):
    tab = visit()
    train_to(tab, 300)
    plane = tab.locator(".plane").first
    box = plane.bounding_box()
    plane.hover(position={"x": box["width"] / 2 + 14, "y": box["height"] / 2})
    lines = shown_tip(tab).split("\n")
    assert re.fullmatch(r"x₁ -?0\.\d+, x₂ -?0\.\d+", lines[0])
    assert re.fullmatch(r"linear: class [01], 5\d\.\d %", lines[1])
    assert re.fullmatch(r"ReLU: class 1, (9\d|100)\.\d %", lines[2])
    tab.mouse.move(5, 5)
    assert tab.locator("#tip").is_hidden()

    plane.focus()
    for key in ("ArrowUp", "ArrowLeft", "Shift+ArrowLeft"):
        plane.press(key)
    assert "ReLU: class" in tab.locator("#said").inner_text()
    x1, x2 = tab.evaluate("app.cursor")
    assert x1 < 0 < x2
    plane.press("Escape")
    assert tab.locator("#tip").is_hidden()


@browser_test
def test_units_and_weights_tell_their_values_and_a_click_enlarges(visit):
    tab = visit()
    train_to(tab, 100)
    diagram = tab.locator(".diagram").last
    node = tab.evaluate("pictures[1].diagram.layers[1].nodes[3]")
    side = tab.evaluate("pictures[1].diagram.side")
    diagram.scroll_into_view_if_needed()
    middle = {"x": node["x"] + side / 2, "y": node["y"] + side / 2}
    diagram.hover(position=middle)
    assert re.fullmatch(r"unit 4 of layer 1, bias -?\d\.\d+", shown_tip(tab))
    before = pixels(tab.locator(".plane").last)
    diagram.scroll_into_view_if_needed()
    diagram.click(position=middle)
    assert tab.evaluate("app.networks[1].looking") == {"layer": 0, "unit": 3}
    settle(tab)
    assert np.abs(pixels(tab.locator(".plane").last) - before).mean() > 5
    button = tab.locator(".network").last.locator(".unit")
    assert "unit 4 of layer 1" in button.inner_text()
    button.click()
    assert tab.evaluate("app.networks[1].looking") is None

    line = tab.evaluate(
        "pictures[1].diagram.lines.find(l => l.number === 2 && Math.abs(l.weight) > 0.1)"
    )
    x1, y1, x2, y2 = line["line"]
    diagram.scroll_into_view_if_needed()
    diagram.hover(position={"x": (x1 + x2) / 2, "y": (y1 + y2) / 2})
    text = shown_tip(tab)
    assert re.fullmatch(r"weight -?\d\.\d+, from unit \d+ of layer 2 to the output", text)


@browser_test
def test_the_drawing_follows_the_keyboard(visit):
    tab = visit()
    diagram = tab.locator(".diagram").last
    tab.locator(".diagram").first.focus()
    tab.keyboard.press("Tab")
    assert tab.locator("#said").inner_text() == ""
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowDown")
    assert re.fullmatch(r"unit \d+ of layer 1, bias .*", tab.locator("#said").inner_text())
    tab.keyboard.press("Enter")
    assert tab.evaluate("app.networks[1].looking.layer") == 0
    tab.keyboard.press("Escape")
    assert tab.evaluate("app.networks[1].looking") is None
    assert diagram.evaluate("canvas => canvas === document.activeElement")


@browser_test
def test_each_unit_s_picture_and_kink_line_are_its_own(visit):
    tab = visit()
    train_to(tab, 100)
    worst = tab.evaluate(
        """() => { // where the kink line runs, the unit's input is 0: by the model, point by point
            const network = app.networks[1], { grid } = app, found = [];
            network.look(grid);
            const { pre } = network.units[0], linear = network.linearLayers()[0];
            for (let unit = 0; unit < 16; unit++) {
                const [a, b] = linear.weight.value.subarray(2 * unit), c = linear.bias.value[unit];
                const steps = [];
                const add = (x, y) => steps.push([x, y]), pen = { moveTo: add, lineTo: add };
                grid.trace(pen, pre[unit], [0, 0, 1, 1]);
                for (const [x, y] of steps) {
                    const { x1, x2 } = app.range;
                    const at1 = x1[0] + x * (x1[1] - x1[0]), at2 = x2[1] - y * (x2[1] - x2[0]);
                    found.push(Math.abs(a * at1 + b * at2 + c) / Math.hypot(a, b));
                }
            }
            return [found.length, Math.max(...found)];
        }"""
    )
    assert worst[0] > 500
    assert worst[1] < 1e-9


@browser_test
def test_the_plane_that_two_units_bend(visit):
    tab = visit("#hidden_units=16x2&activation=tanh&epoch=300")
    tab.wait_for_function("app.epoch === 300 && !app.running")
    assert tab.locator(".bent").count() == 2
    shot(tab, "bent")
    picture = pixels(tab.locator(".bent").last)
    assert picture.std() > 20
    assert "bends it" in tab.locator(".bent").last.get_attribute("aria-label")
    values = """() => {
        const network = app.networks[1], { n, X } = network.train;
        network.model.forward(X, n);
        return hiddenRows(network.model).at(-1).out.map(row => [...row.subarray(0, n)]);
    }"""
    h = np.array(tab.evaluate(values))
    weight, bias = (
        np.array(tab.evaluate(f"[...app.networks[1].linearLayers().at(-1).{name}.value]"))
        for name in ("weight", "bias")
    )
    labels = np.array(tab.evaluate("[...app.networks[1].train.y]"))
    assert ((weight @ h + bias > 0) == labels).mean() > 0.98  # one line parts them
    tab.evaluate("app.change('hiddenUnits', [16, 3])")
    assert tab.locator(".bent").last.is_hidden()


@browser_test
def test_points_can_be_hidden_and_wrong_ones_are_ringed(visit):
    tab = visit()
    train_to(tab, 50)
    plane = tab.locator(".plane").first
    both = pixels(plane)
    tab.get_by_label("test", exact=True).uncheck()
    settle(tab)
    train_only = pixels(plane)
    tab.get_by_label("train", exact=True).uncheck()
    settle(tab)
    none = pixels(plane)
    assert (none != train_only).any(axis=2).sum() > (both != train_only).any(axis=2).sum() > 500
    wrong = tab.evaluate("app.networks[0].wrong.reduce((a, b) => a + b)")
    accuracy = tab.evaluate("app.networks[0].last.testAcc")
    assert wrong == round(200 * (1 - accuracy))


# Points of one's own


def place(tab, plane, x1, x2):
    """Return where a point of the plane lies in its canvas."""
    x, y = tab.evaluate("([x1, x2]) => pictures[0].plane.toPixels(x1, x2)", [x1, x2])
    return {"x": x, "y": y}


def table(tab):
    return tab.evaluate("pointsOf(app.table)")


@browser_test
def test_points_are_added_moved_changed_and_erased_with_the_mouse(visit):
    tab = visit()
    plane = tab.locator(".plane").first
    tab.get_by_role("radio", name="add a point of class 0").click()
    plane.click(position=place(tab, plane, 0, 0))
    assert settings(tab)["data"] == "own"
    assert len(table(tab)) == 1001
    assert table(tab)[-1] == pytest.approx([0, 0, 0], abs=0.01)

    tab.evaluate("document.querySelector('.own').open = true")
    tab.get_by_role("button", name="Clear all points").click()
    assert table(tab) == []
    tab.get_by_role("button", name="Train").click()
    assert "There are no points to train on" in tab.get_by_role("alert").inner_text()
    tab.locator("#tools button[data-tool='0']").click()
    plane.click(position=place(tab, plane, 0.5, 0.5))
    plane.click(position=place(tab, plane, -0.5, 0.5))
    tab.locator("#tools button[data-tool='1']").click()
    plane.click(position=place(tab, plane, 0, -0.5))
    assert [label for *_, label in table(tab)] == [0, 0, 1]

    plane.click(position=place(tab, plane, 0.5, 0.5))  # on a point: its class changes
    assert [label for *_, label in table(tab)] == [1, 0, 1]

    corner = plane.bounding_box()
    start, end = place(tab, plane, 0.5, 0.5), place(tab, plane, 0.8, 0.2)
    tab.mouse.move(corner["x"] + start["x"], corner["y"] + start["y"])
    tab.mouse.down()
    tab.mouse.move(corner["x"] + end["x"], corner["y"] + end["y"], steps=5)
    tab.mouse.up()
    assert table(tab)[0] == pytest.approx([0.8, 0.2, 1], abs=0.02)
    assert len(table(tab)) == 3

    start, end = place(tab, plane, -1, -1), place(tab, plane, 1, -1)
    tab.mouse.move(corner["x"] + start["x"], corner["y"] + start["y"])
    tab.mouse.down()
    tab.mouse.move(corner["x"] + end["x"], corner["y"] + end["y"], steps=30)
    tab.mouse.up()
    drawn = len(table(tab)) - 3
    assert drawn > 8
    shot(tab, "drawn")

    tab.locator("#tools button[data-tool='erase']").click()
    tab.mouse.move(corner["x"] + start["x"], corner["y"] + start["y"])
    tab.mouse.down()
    tab.mouse.move(corner["x"] + end["x"], corner["y"] + end["y"], steps=40)
    tab.mouse.up()
    assert len(table(tab)) == 3

    tab.get_by_role("radio", name="one more class").click()
    plane.click(position=place(tab, plane, 0.3, 0.9))
    assert table(tab)[-1][2] == 2
    assert tab.evaluate("app.networks[1].model.layers.at(-1).outputs") == 3
    train_to(tab, 5)


@browser_test
def test_an_added_point_is_learned_without_a_new_start(visit):
    tab = visit()
    tab.locator("#tools button[data-tool='1']").click()
    plane = tab.locator(".plane").first
    plane.click(position=place(tab, plane, 1, 1))
    train_to(tab, 20)
    before = tab.evaluate("[...app.networks[1].model.tensors[0]]")
    plane.click(position=place(tab, plane, -1, 1))
    assert tab.evaluate("app.epoch") == 20
    assert tab.evaluate("[...app.networks[1].model.tensors[0]]") == before
    assert "points were others" in tab.locator("#note").inner_text()
    assert tab.evaluate("app.networks[1].train.n + app.networks[1].test.n") == 1002


@browser_test
def test_points_by_touch(visit):
    tab = visit(width=400, height=850, has_touch=True, is_mobile=True)
    tab.locator("#tools button[data-tool='1']").tap()
    plane = tab.locator(".plane").last
    where = tab.evaluate("() => pictures[1].plane.toPixels(0.1, 0.1)")
    plane.tap(position={"x": where[0], "y": where[1]})
    assert len(table(tab)) == 1001
    assert table(tab)[-1] == pytest.approx([0.1, 0.1, 1], abs=0.02)
    tab.locator("#tools button[data-tool='look']").tap()
    plane.tap(position={"x": where[0], "y": where[1]})
    assert "ReLU: class" in shown_tip(tab)

    diagram = tab.locator(".diagram").last
    diagram.scroll_into_view_if_needed()
    node = tab.evaluate("pictures[1].diagram.layers[1].nodes[3]")
    diagram.tap(position={"x": node["x"] + 5, "y": node["y"] + 5})
    assert shown_tip(tab).startswith("unit 4 of layer 1")
    assert tab.evaluate("app.networks[1].looking") == {"layer": 0, "unit": 3}
    tab.locator("h1").tap()
    assert tab.locator("#tip").is_hidden()


@browser_test
def test_points_by_keyboard(visit):
    tab = visit()
    tab.locator("#tools button[data-tool='1']").click()
    plane = tab.locator(".plane").first
    plane.focus()
    plane.press("ArrowRight")
    plane.press("Enter")
    assert len(table(tab)) == 1001
    plane.press("Delete")
    assert len(table(tab)) == 1000


CSV = "grams,size,fruit\n" + "".join(
    f"{100 + 80 * k + 9 * (i % 5)},{5 + k + 0.3 * (i % 4)},{name}\n"
    for k, name in enumerate(("plum", "lemon", "orange"))
    for i in range(20)
)


@browser_test
def test_a_pasted_table(visit):
    tab = visit()
    tab.evaluate("document.querySelector('.own').open = true")
    tab.get_by_label("CSV text").fill(CSV)
    tab.get_by_role("button", name="Use these points").click()
    settle(tab)
    assert settings(tab)["data"] == "own"
    assert tab.evaluate("app.data.classNames") == ["lemon", "orange", "plum"]
    assert tab.locator("#tools").get_by_text("orange").is_visible()
    assert tab.locator("#command").inner_text() == "python train.py --data points.csv"
    train_to(tab, 200)
    assert tab.evaluate("app.networks[1].last.trainAcc") > 0.95
    shot(tab, "fruits")

    with tab.expect_download() as download:
        tab.get_by_role("button", name="Download the points").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert lines[0] == "grams,size,label"
    assert len(lines) == 61

    tab.get_by_label("CSV text").fill("a,b,c\n1,x,y")
    tab.get_by_role("button", name="Use these points").click()
    assert 'column "b" must be a finite number' in tab.get_by_role("alert").inner_text()
    assert tab.evaluate("app.epoch") == 200  # the network is still there


@browser_test
def test_a_dropped_file(visit):
    tab = visit()
    tab.evaluate(
        """text => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([text], "fruits.csv", { type: "text/csv" }));
            const drop = { dataTransfer: transfer, cancelable: true };
            document.dispatchEvent(new DragEvent("drop", drop));
        }""",
        CSV,
    )
    tab.wait_for_function("app.settings.data === 'own'")
    assert tab.evaluate("app.data.featureNames") == ["grams", "size"]
    assert tab.locator("#command").inner_text() == "python train.py --data fruits.csv"


@browser_test
def test_downloaded_points_are_what_train_py_reads(visit, tmp_path):
    tab = visit()
    tab.evaluate(
        """() => {
            const random = new MersenneTwister(5), points = [];
            for (let i = 0; i < 60; i++) {
                points.push([...rounded([random.random() - 0.5, random.random()]), i % 2]);
            }
            app.takeTable({ ...emptyTable(), ...tableOf(points) }, true);
        }"""
    )
    tab.evaluate("document.querySelector('.own').open = true")
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Download the points").click()
    download.value.save_as(tmp_path / "points.csv")
    data = make_data(data=str(tmp_path / "points.csv"))
    X, y = tab.evaluate("[app.data.train.X.map(row => [...row]), [...app.data.train.y]]")
    np.testing.assert_array_equal(np.float32(X).T, data.X_train.numpy())
    np.testing.assert_array_equal(y, data.y_train.numpy()[:, 0])
    standardize = tab.evaluate("[app.data.standardize.mean, app.data.standardize.std]")
    np.testing.assert_allclose(standardize, data.standardize, rtol=1e-6)


# Links


LINKS = [
    "",
    "#data=moons&noise=0.3&seed=7&activation=tanh&hidden_units=8x4&epoch=37",
    "#data=spirals&classes=3&lr=0.03&batch_size=64&dropout=0.2&batch_norm=true&epoch=12",
    "#inputs=x1,x2,x1^2,sin_x2&hidden_units=none&l1=0.001&show=one&epoch=5",
    "#data=own&class_names=a%2Cb,c&features=height,weight&points=1,2,0;1.5,2,0;3,1,1;3.5,1.25,1"
    "&epoch=3",
]

STATE = """() => ({
    settings: app.settings, epoch: app.epoch, hash: location.hash, points: pointsOf(app.table),
    names: [app.data.classNames, app.data.featureNames],
    weights: app.networks.map(({ model }) => model.tensors.map(tensor => [...tensor])),
})"""


@browser_test
@pytest.mark.parametrize("link", LINKS)
def test_a_link_opened_twice_gives_the_same_state(visit, link):
    def opened(link):
        tab = visit(link)
        epoch = int(re.search(r"epoch=(\d+)", link)[1]) if "epoch" in link else 0
        tab.wait_for_function("epoch => app.epoch === epoch && !app.running", arg=epoch)
        return tab, tab.evaluate(STATE)

    state = opened(link)[1]
    assert opened(link)[1] == state
    assert opened(state["hash"])[1] == state
    if link:
        assert state["hash"] == link or sorted(re.split("[#&]", state["hash"])) == sorted(
            re.split("[#&]", link)
        )


@browser_test
def test_a_link_holds_what_the_controls_say_and_can_be_copied(visit):
    tab = visit()
    row(tab, "activation").locator("select").select_option("gelu")
    type_in(tab, "momentum", "0.5")
    train_to(tab, 7)
    tab.get_by_role("button", name="Copy link").click()
    link = tab.evaluate("navigator.clipboard.readText()")
    assert link.endswith("#activation=gelu&momentum=0.5&epoch=7") or set(
        link.split("#")[1].split("&")
    ) == {"activation=gelu", "momentum=0.5", "epoch=7"}
    weights = "app.networks.map(({ model }) => model.tensors.map(tensor => [...tensor]))"
    other = visit("#" + link.split("#")[1])
    other.wait_for_function("app.epoch === 7 && !app.running")
    assert other.evaluate(weights) == tab.evaluate(weights)

    tab.get_by_role("button", name="Copy as command").click()
    command = tab.evaluate("navigator.clipboard.readText()")
    assert command == "python train.py --activation gelu --momentum 0.5 --epochs 7" or set(
        command.split(" --")
    ) == {"python train.py", "activation gelu", "momentum 0.5", "epochs 7"}
    tab.get_by_role("button", name="Copy as PyTorch").click()
    assert "nn.GELU()" in tab.evaluate("navigator.clipboard.readText()")


@browser_test
def test_a_link_can_hide_parts_and_controls(visit):
    tab = visit("#hide=data,copy,experiments,lr,hidden_units")
    for part in ("data", "copy", "experiments"):
        assert tab.locator(f'[data-part="{part}"]').is_hidden()
    assert tab.locator('[data-part="training"]').is_visible()
    assert row(tab, "lr").is_hidden()
    assert row(tab, "hiddenUnits").is_hidden()
    assert row(tab, "momentum").is_visible()
    tab.get_by_role("button", name="Step").click()
    assert "hide=data,copy,experiments,lr,hidden_units" in tab.evaluate("location.hash")


@browser_test
def test_every_part_and_every_control_can_be_hidden(visit):
    parts = ["experiments", "draw", "legend", "curves", "units", "data", "network", "training"]
    parts += ["copy"]
    controls = ["samples", "noise", "seed", "inputs", "activation", "batch_norm", "momentum", "l1"]
    tab = visit(f"#hide={','.join(parts + controls)}")
    assert tab.locator("#message").is_hidden()
    for part in parts:
        for box in tab.locator(f'[data-part="{part}"]').all():
            assert box.is_hidden()
    assert tab.locator("#settings").inner_text() == ""
    assert tab.locator(".plane").count() == 2  # what is left: the planes, and the buttons
    tab.get_by_role("button", name="Train").wait_for()


@browser_test
def test_what_the_pages_say_of_hiding_hides(visit):
    for page in ("README.md", "notebooks/08_playground.ipynb"):
        for names in re.findall(r"[#&]hide=([\w,]+)", (ROOT / page).read_text(encoding="utf-8")):
            tab = visit(f"#hide={names}")
            assert tab.locator("#message").is_hidden()
            for name in names.split(","):
                assert tab.locator(f'[data-part="{name}"]').is_hidden()


@browser_test
@pytest.mark.parametrize("number", range(EXPERIMENTS))
def test_the_link_of_an_experiment_opens_with_its_sentence(visit, number):
    tab = visit()
    tab.locator("#experiment").select_option(str(number))
    link = tab.evaluate("location.hash")
    sentence = tab.locator("#sentence").inner_text()
    other = visit((link or "#") + "&hide=data")
    assert other.locator("#experiment").input_value() == str(number)
    assert other.locator("#sentence").inner_text() == sentence


@browser_test
@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ("#hide=data,code", 'The page has no part "code" to hide; it has experiments, draw'),
        ("#data=sweets", "The data must be one of circles"),
        ("#lr=-1", "The learning rate must be a number above 0."),
        ("#hidden_units=16x0", "There can be up to 12 hidden layers"),
        ("#inputs=x3", "A network needs at least one input."),
        ("#epoch=-5", "The epoch must be a whole number"),
        ("#data=own&points=1,2,9", "The link's points can't be read."),
        ("#activation=swish", "The activation must be one of relu"),
    ],
)
def test_a_link_that_can_t_be_opens_the_rest_and_says_so(visit, link, sentence):
    tab = visit(link)
    assert sentence in tab.get_by_role("alert").inner_text()
    assert tab.evaluate("app.networks.length") == 2


@browser_test
def test_too_many_points_for_a_link(visit):
    tab = visit()
    tab.locator("#tools button[data-tool='1']").click()
    plane = tab.locator(".plane").first
    plane.click(position=place(tab, plane, 0, 0))
    assert tab.locator("#copy-link").is_disabled()
    assert "more than 500 points" in tab.locator("#command-note").inner_text()


# Films


@pytest.fixture(scope="module")
def trained():
    """Two models, and what they were at some epochs."""
    data, epochs = make_data(samples=200), [0, 1, 5, 20, 60]
    models, states = [], []
    for kind in (CircleModelV0, CircleModelV2):
        torch.manual_seed(42)
        model = kind() if kind is CircleModelV0 else kind(batch_norm=True)
        of_model = [{k: v.clone() for k, v in model.state_dict().items()}]
        for first, last in pairwise(epochs):
            train(model, data, epochs=last - first, momentum=0.0)
            of_model.append({k: v.clone() for k, v in model.state_dict().items()})
        models.append(model)
        states.append(of_model)
    return data, models, epochs, states


@browser_test
def test_a_film_plays_the_run_s_own_weights_and_goes_on_from_there(visit, trained):
    data, models, epochs, states = trained
    given = {"data": "circles", "samples": 200, "noise": 0.03, "factor": 0.8, "momentum": 0.0}
    page = film_page(data, models, epochs, states, given)
    tab = visit(page=page, reduced_motion="reduce")
    assert tab.evaluate("app.film.place") == 4  # where nothing shall move, the end
    for number, epoch in enumerate(epochs):
        tab.locator("#place").evaluate(
            """(slider, value) => {
                slider.value = value;
                slider.dispatchEvent(new Event("input"));
            }""",
            number,
        )
        assert tab.locator("#epoch").inner_text() == str(epoch)
        last = tab.evaluate("app.networks.map(network => network.last)")
        for model, of_model, here in zip(models, states, last, strict=True):
            model.load_state_dict(of_model[number])
            for part, X, y in (
                ("train", data.X_train, data.y_train),
                ("test", data.X_test, data.y_test),
            ):
                loss, accuracy = evaluate(model, X, y)
                assert here[f"{part}Loss"] == pytest.approx(loss, rel=1e-4)
                assert here[f"{part}Acc"] == pytest.approx(accuracy)
    shot(tab, "film")

    tab.locator("#place").evaluate("slider => { slider.value = 3; slider.oninput(); }")
    tab.get_by_role("button", name="Step").click()  # on from epoch 20, as train.py goes on
    assert tab.locator("#epoch").inner_text() == "21"
    models[1].load_state_dict(states[1][3])
    train(models[1], data, epochs=1, momentum=0.0)
    loss, _ = evaluate(models[1], data.X_train, data.y_train)
    assert tab.evaluate("app.networks[1].last.trainLoss") == pytest.approx(loss, rel=1e-4)
    tab.get_by_role("button", name="Go on from here").click()
    tab.wait_for_function("app.epoch > 40")
    tab.get_by_role("button", name="Pause").click()
    tab.get_by_role("button", name="Reset").click()
    assert tab.locator("#epoch").inner_text() == "0"


@browser_test
def test_a_film_plays_by_itself_and_stops_at_the_end(visit, trained):
    data, models, epochs, states = trained
    tab = visit(page=film_page(data, models, epochs, states))
    tab.wait_for_function("app.film.place === 4 && !app.film.running")
    tab.locator("#play").click()
    tab.wait_for_function("app.film.place === 2 && (document.getElementById('play').click(), true)")
    assert not tab.evaluate("app.film.running")
    assert tab.locator("#play").inner_text() == "Play"
    tab.evaluate("app.change('lr', 0.05)")  # a live change stays in the film
    assert tab.evaluate("app.film !== null")
    tab.evaluate("app.change('hiddenUnits', [4])")  # another network is another training
    assert tab.evaluate("app.film") is None
    assert tab.locator("#film").is_hidden()
    train_to(tab, 5)


@browser_test
def test_a_film_s_link_can_hide_parts(visit, trained):
    data, models, epochs, states = trained
    tab = visit("#hide=data", page=film_page(data, models, epochs, states), reduced_motion="reduce")
    assert tab.evaluate("app.film.place") == 4
    assert tab.locator('[data-part="data"]').is_hidden()


@browser_test
def test_a_film_s_link_with_settings_is_another_training(visit, trained):
    data, models, epochs, states = trained
    tab = visit("#lr=0.5", page=film_page(data, models, epochs, states))
    assert tab.evaluate("app.film") is None
    assert settings(tab)["lr"] == 0.5


@browser_test
def test_a_file_s_film_keeps_its_names_and_units(visit, tmp_path):
    (tmp_path / "fruits.csv").write_text(CSV)
    data = make_data(data=str(tmp_path / "fruits.csv"))
    torch.manual_seed(0)
    model = CircleModelV2(out_features=3, standardize=data.standardize, hidden_units=(7, 2))
    page = film_page(
        data, [model], [0], [[model.state_dict()]], {"data": str(tmp_path / "fruits.csv")}
    )
    assert str(tmp_path) not in page
    tab = visit(page=page)
    assert tab.evaluate("[app.data.classNames, app.data.featureNames]") == [
        ["lemon", "orange", "plum"],
        ["grams", "size"],
    ]
    loss, accuracy = evaluate(model, data.X_train, data.y_train)
    here = tab.evaluate("app.networks[0].last")
    assert here["trainLoss"] == pytest.approx(loss, rel=1e-4)
    assert here["trainAcc"] == pytest.approx(accuracy)
    assert "--data fruits.csv" in tab.locator("#command").inner_text()
    assert tab.locator("#film").is_hidden()  # one picture is no film


# In a notebook


@browser_test
@pytest.mark.parametrize("kind", [CircleModelV0, CircleModelV2])
def test_a_notebook_shows_any_model_in_a_frame(visit, kind):
    data = make_data(data="blobs", samples=60)
    torch.manual_seed(1)
    model = kind(out_features=3)
    frame = show_page(model, data, epoch=10, height=700)
    assert "notebook" in repr(frame)
    tab = visit(page=f"<!DOCTYPE html><p>A cell</p>{frame._repr_html_()}")
    inside = tab.frame_locator("iframe")
    inside.locator("#epoch").get_by_text("10").wait_for()
    loss, _ = evaluate(model, data.X_train, data.y_train)
    page = tab.frames[1]
    assert page.evaluate("app.networks[0].last.trainLoss") == pytest.approx(loss, rel=1e-4)
    inside.get_by_role("button", name="Step").click()
    assert inside.locator("#epoch").inner_text() == "11"
    assert inside.locator("#copy-link").is_hidden()  # a frame has no address
    page.evaluate("app.change('hiddenUnits', [3])")
    assert page.evaluate("app.networks.length") == 1


@browser_test
def test_a_notebook_shows_the_page_by_itself_and_with_data(visit):
    tab = visit(page=show_page()._repr_html_())
    tab.frame_locator("iframe").get_by_role("button", name="Train").wait_for()
    assert tab.frames[1].evaluate("app.settings.data") == "circles"
    state = torch.get_rng_state()
    frame = show_page(data=make_data(data="moons", samples=50))
    assert torch.equal(torch.get_rng_state(), state)
    tab = visit(page=frame._repr_html_())
    tab.frame_locator("iframe").get_by_role("button", name="Step").click()
    assert tab.frames[1].evaluate("app.networks.map(n => n.train.n + n.test.n)") == [50, 50]


# For everyone


@browser_test
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 600, 800, 1000, 1280, 1600])
def test_the_page_fits_and_follows_the_scheme(visit, width, scheme):
    tab = visit(width=width, height=900, color_scheme=scheme)
    train_to(tab, 150)
    shot(tab, f"{width}_{scheme}")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    left, right = (tab.locator(".plane").nth(i).bounding_box() for i in (0, 1))
    assert left["y"] == right["y"]  # side by side at any width
    assert left["x"] + left["width"] <= right["x"]
    assert left["width"] >= 0.4 * min(width, 700)
    assert right["y"] + 0.5 * right["height"] < 900  # seen before one scrolls
    overlapping = tab.evaluate(
        """() => [...document.querySelectorAll(".network header")].some(header => {
            const boxes = [...header.children].filter(one => one.offsetWidth).map(one => {
                const range = document.createRange(); // its text may be wider than it
                range.selectNodeContents(one);
                return range.getBoundingClientRect();
            });
            return boxes.some((a, i) => boxes.slice(i + 1).some(b =>
                a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 &&
                b.top < a.bottom - 3));
        })"""
    )
    assert not overlapping
    cut_off = tab.evaluate(
        """() => [...document.querySelectorAll("button, h2, .score, .row label")]
            .filter(one => one.offsetWidth && one.scrollWidth > one.clientWidth + 1)
            .map(one => one.textContent)"""
    )
    assert cut_off == []
    assert tab.evaluate(  # a list is wide enough for each of its texts
        """() => [...document.querySelectorAll("select")].every(list => {
            const { width } = list.getBoundingClientRect(), loose = list.cloneNode(true);
            Object.assign(loose.style, { width: "auto", flex: "none", position: "absolute" });
            list.after(loose);
            const wanted = loose.getBoundingClientRect().width;
            loose.remove();
            return width >= wanted;
        })"""
    )
    page = pixels(tab.locator("body"))
    assert (np.median(page) > 200) == (scheme == "light")
    assert pixels(tab.locator(".plane").last).std() > 20


@browser_test
def test_another_scheme_is_followed_while_the_page_is_open(visit):
    tab = visit(color_scheme="light")
    light = pixels(tab.locator(".plane").first)
    tab.emulate_media(color_scheme="dark")
    settle(tab)
    dark = pixels(tab.locator(".plane").first)
    assert light.mean() - dark.mean() > 100


@browser_test
def test_pictures_have_texts_and_controls_have_names(visit):
    tab = visit("#data=spirals&classes=3&hidden_units=8x2&epoch=30")
    tab.wait_for_function("app.epoch === 30 && !app.running")
    for canvas in tab.locator("canvas[role=img]").all():
        assert len(canvas.get_attribute("aria-label") or "") > 15
    assert tab.locator("canvas[role=img]").count() >= 8
    plane = tab.locator(".plane").last.get_attribute("aria-label")
    assert re.search(r"ReLU network parts it at epoch 30: \d+\.\d % of the test points", plane)
    assert "ReLU" in tab.locator("#loss").get_attribute("aria-label")
    tab.evaluate("app.takeTable({ ...emptyTable(), ...tableOf([[0, 0, 0], [1, 1, 1]]) }, true)")
    settle(tab)
    without_test = tab.locator("#loss").get_attribute("aria-label")
    assert re.fullmatch(r"Loss over the epochs; now, on the points: linear \d.*\.", without_test)
    nameless = tab.evaluate(
        """() => [...document.querySelectorAll("button, select, input, textarea")]
            .filter(one => one.offsetWidth)
            .filter(one => !(one.ariaLabel || one.textContent.trim() || one.labels?.length))
            .map(one => one.outerHTML)"""
    )
    assert nameless == []
    assert tab.locator("html").get_attribute("lang") == "en"


@browser_test
def test_everything_can_be_reached_by_keyboard(visit):
    tab = visit()
    controls = tab.evaluate(
        """() => {
            for (const one of document.querySelectorAll("details")) one.open = true;
            window.focusable = [...document.querySelectorAll(
                "button, select, input, textarea, summary, canvas.plane, canvas.diagram")]
                .filter(one => one.offsetWidth && !one.disabled);
            return focusable.map(one => one.id || one.ariaLabel || one.textContent);
        }"""
    )
    reached = set()
    for _ in range(len(controls) + 10):
        tab.keyboard.press("Tab")
        reached.add(tab.evaluate("focusable.indexOf(document.activeElement)"))
    assert [name for i, name in enumerate(controls) if i not in reached] == []
    assert {"train", "experiment", "set-lr"} <= set(controls)


@browser_test
def test_reduced_motion_shows_few_pictures(visit):
    tab = visit(reduced_motion="reduce")
    tab.get_by_role("button", name="Train").click()
    tab.wait_for_function("app.epoch >= 15")
    tab.get_by_role("button", name="Pause").click()
    assert tab.evaluate("app.epoch") <= 40  # five epochs a picture, two pictures a second


@browser_test
def test_wide_and_deep_networks_still_answer(visit):
    tab = visit("#hidden_units=256x256&show=both")
    tab.get_by_role("button", name="Train").click()
    tab.wait_for_function("app.epoch >= 2")
    tab.get_by_role("button", name="Pause").click()
    tab.wait_for_function("!app.running")
    assert "of 256" not in tab.locator("#message").inner_text()
    assert tab.evaluate("pictures[1].diagram.layers[1].units") == 256
    shot(tab, "wide")
    tab.evaluate("app.change('hiddenUnits', Array(12).fill(16))")
    train_to(tab, 3)
    shot(tab, "deep")
    nodes = tab.evaluate("pictures[1].diagram.nodes.map(n => n.x)")
    width = tab.evaluate("pictures[1].diagram.width")
    side = tab.evaluate("pictures[1].diagram.side")
    assert max(nodes) + side <= width
