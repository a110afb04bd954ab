"""The page in the browser: time to a test accuracy of 99 % against train.py's, and frames a second.

Round n has the data and the initial weights of seed n, which are the same in both, and so are the
epochs that it takes. Both evaluate every tenth. Chromium has no window here, and one core for all
of its processes.
"""

import os
import shutil
import statistics
import tempfile
from contextlib import contextmanager
from pathlib import Path

import torch
from playwright.sync_api import sync_playwright

from benchmarks.measure import (
    EPOCHS,
    RECORD_EVERY,
    Line,
    duration,
    in_turns,
    main,
    ratios,
    seconds,
)
from lab.page import write_page
from model import CircleModelV2
from train import make_data, train

GOAL = 0.99

TO_GOAL = """([seed, goal, epochs, every]) => {
    const settings = { ...DEFAULTS, seed };
    const data = split(makeTable(settings), settings.testSize, seed);
    const start = performance.now();
    const model = buildModel(settings, 2, 1), training = new Training(model, data.train, settings);
    let accuracy = 0;
    while (training.epoch < epochs && accuracy < goal) {
        training.trainEpoch();
        if (training.epoch % every === 0) {
            evaluate(model, data.train);
            accuracy = evaluate(model, data.test).accuracy;
        }
    }
    return [(performance.now() - start) / 1000, training.epoch];
}"""

FRAMES = """async seconds => {
    app.train();
    await new Promise(done => setTimeout(done, 1000)); // until the code is compiled
    const { frames, epoch } = app, start = performance.now();
    await new Promise(done => setTimeout(done, 1000 * seconds));
    const passed = (performance.now() - start) / 1000;
    app.pause();
    return [(app.frames - frames) / passed, (app.epoch - epoch) / (app.frames - frames)];
}"""


@contextmanager
def one_core():
    """Have this process, and those that it starts, run on one core alone, where Linux allows it."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def measure(quick: bool) -> tuple[list[Line], list[str]]:
    torch.set_num_threads(1)
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))))
    rounds = 2 if quick else 15
    datasets = [make_data(seed=seed) for seed in range(rounds)]

    with one_core(), tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        file = Path(folder, "index.html")
        write_page(file)
        options = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = driver.chromium.launch(executable_path=chromium, args=options)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(file.as_uri())

        def of_page(seed):
            return page.evaluate(TO_GOAL, [seed, GOAL, EPOCHS, RECORD_EVERY])

        reached = [of_page(seed)[1] for seed in range(rounds)]  # in train.py, too: it is the same

        def of_script(seed):
            torch.manual_seed(seed)
            model, epochs = CircleModelV2(), reached[seed]
            return seconds(train, model, datasets[seed], seed=seed, epochs=epochs), epochs

        runs = in_turns({"page": of_page, "script": of_script}, rounds)
        version = browser.version
        rates = {}
        for name, settings in (
            ("the default networks", {}),
            ("two layers of 64 units", {"hiddenUnits": [64, 64]}),
            ("two layers of 256 units", {"hiddenUnits": [256, 256]}),
        ):
            page.goto(file.as_uri())
            page.evaluate(
                "given => { Object.assign(app.settings, given); app.restart(); }", settings
            )
            rates[name] = page.evaluate(FRAMES, 1 if quick else 10)
        browser.close()

    times = {name: [time for time, _ in several] for name, several in runs.items()}
    page_time, script_time = (
        duration(statistics.mean(several), statistics.stdev(several)) for several in times.values()
    )
    line = Line(
        "time to 99 %, in the page",
        page_time,
        f"train.py's training: {script_time}",
        ratios(times["script"], times["page"]),
        None,
        f"Chromium {version}",
    )
    page_epoch, script_epoch = (
        duration(statistics.median(time / epochs for time, epochs in several))
        for several in runs.values()
    )
    shown = ", ".join(
        f"{name} {frames:.0f} frames a second of {epochs:.0f} epochs each"
        for name, (frames, epochs) in rates.items()
    )
    return [line], [
        f"The page, with everything drawn and the linear network beside it, on one core: {shown}.",
        f"An epoch of the ReLU network takes {page_epoch} in the page, and {script_epoch} in "
        "train.py.",
    ]


if __name__ == "__main__":
    main(measure)
