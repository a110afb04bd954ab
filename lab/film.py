"""Films of training: snapshots of models, and frames as a GIF or as a page with a player."""

import base64
import copy
import html
import io
import json
from itertools import cycle
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from lab.pictures import plot_points_and_boundary
from lab.progress import progress
from support.files import write_atomically
from support.text import percent
from train import Data, evaluate


class Film:
    """Snapshots of models while they train, at epochs that lie closer together early on.

    `film.shoot(Training(model, data))` trains a model and takes its snapshots; do so for as many
    models as are to be seen side by side. `epochs` is the number of epochs that they train.
    """

    def __init__(self, epochs: int, frames: int = 64):
        self.epochs = spaced_epochs(epochs, frames)
        self.reels = []  # for each model: the model, and its state_dict at each of the epochs

    def shoot(self, training) -> dict[str, list]:
        """Train a model to the end and return its history."""
        states = self.load(training.model)
        self.look(training, states)
        for _ in training:
            self.look(training, states)
        return training.history

    def load(self, model) -> list:
        """Return the list that a model's snapshots go to, for `look`."""
        self.reels.append((model, []))
        return self.reels[-1][1]

    def look(self, training, states: list) -> None:
        """Keep a copy of the model's state if an epoch that is to be seen has just ended."""
        due = self.epochs[len(states)] if len(states) < len(self.epochs) else None
        if training.step == 0 and training.epoch == due:
            state = training.model.state_dict()
            states.append({name: tensor.clone() for name, tensor in state.items()})

    def develop(self, look, seconds: float) -> tuple[bytes, bytes]:
        """Return the film as a GIF and as a page, with `seconds` from one frame to the next.

        `look(model, panel)` draws a model as it is in a snapshot and returns its loss.
        """
        if not self.reels or any(len(states) < len(self.epochs) for _, states in self.reels):
            raise ValueError(f"film must have seen models for all {self.epochs[-1]} epochs.")
        models = [copy.deepcopy(model).eval() for model, _ in self.reels]
        figure, panels, loss_panel, curves = _stage(models, self.epochs[-1])
        canvas, heading = FigureCanvasAgg(figure), figure.suptitle("")
        images, losses = [], [[] for _ in models]
        bar = progress(len(self.epochs), " frames")
        for i, epoch in enumerate(self.epochs):
            heading.set_text(f"epoch {epoch}")
            for number, (model, panel) in enumerate(zip(models, panels, strict=True)):
                model.load_state_dict(self.reels[number][1][i])
                for artist in (*panel.images, *panel.collections, *panel.lines):
                    artist.remove()  # panel.clear() would make the ticks anew: twice the time
                losses[number].append(look(model, panel))
                curves[number].set_data(self.epochs[: i + 1], losses[number])
                curves[number].set(markevery=[i], markersize=5)  # a dot at the end
            loss_panel.set_ylim(0, 1.1 * max(map(max, losses)))
            canvas.draw()
            images.append(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()))
            bar.update()
        bar.close()

        images = few_colors(images)
        captions = [f"epoch {epoch}" for epoch in self.epochs]
        title = " and ".join(type(model).__name__ for model in models) + " in training"
        page = write_player(images, captions, seconds, title)
        return write_gif(images, seconds), page.encode()


def animate_training(film: Film, data: Data, out: Path | str, *, seconds: float = 0.1) -> None:
    """Write a film of models side by side as training.gif and training.html to a directory.

    film: of one or more models, each of them trained to the end.
    data: what they were trained on; the boundaries are drawn among its training points.
    seconds: from one frame to the next.

    A ValueError tells of a film that saw no model, or one whose training stopped short.
    """

    def look(model, panel):
        loss, accuracy = evaluate(model, data.X_train, data.y_train)
        title = f"{type(model).__name__}: {percent(accuracy, digits=1)} right"
        plot_points_and_boundary(
            model, data.X_train, data.y_train, data, panel, title=title, grid_resolution=201
        )
        return loss

    gif, page = film.develop(look, seconds)
    write_atomically(Path(out) / "training.gif", gif)
    write_atomically(Path(out) / "training.html", page)


def _stage(models, epochs):
    """Return a figure with a panel for each model and one for the losses, and the loss curves."""
    figure = Figure(figsize=(3.7 * len(models) + 3.3, 3.9), dpi=80)
    figure.subplots_adjust(left=0.04, right=0.985, bottom=0.12, top=0.84, wspace=0.2)
    *panels, loss_panel = figure.subplots(1, len(models) + 1)
    curves = [
        loss_panel.plot([], [], style, color="black", label=type(model).__name__, marker="o")[0]
        for model, style in zip(models, cycle(("--", "-", ":", "-.")), strict=False)
    ]
    loss_panel.legend(loc="lower left")
    loss_panel.set(title="loss on the training set", xlabel="epoch", xlim=(0, epochs))
    return figure, panels, loss_panel, curves


def spaced_epochs(epochs: int, frames: int) -> list[int]:
    """Return at most `frames` epochs from 0 to the last, with steps that grow in proportion."""
    steps = max(1, frames - 1)
    return sorted({round(epochs * (i / steps) ** 2) for i in range(steps)} | {epochs})


def write_gif(images: list[Image.Image], seconds: float, rest: float = 2.0) -> bytes:
    """Return a GIF that shows each image for `seconds`, rests on the last, and starts again."""
    file = io.BytesIO()
    images[0].save(
        file,
        format="GIF",
        save_all=True,
        append_images=images[1:],
        duration=[round(1000 * seconds)] * (len(images) - 1) + [round(1000 * rest)],
        loop=0,
        optimize=False,  # the palette is small already, and is the same for all
    )
    return file.getvalue()


def few_colors(images: list[Image.Image], colors: int = 64) -> list[Image.Image]:
    """Return the images with one palette, made from the first, the middle and the last of them."""
    sample = [images[i] for i in (0, len(images) // 2, -1)]
    width, height = sample[0].size
    sheet = Image.new("RGB", (width, 3 * height))
    for i, image in enumerate(sample):
        sheet.paste(image, (0, i * height))
    palette = sheet.quantize(colors)
    return [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]


def write_player(images: list[Image.Image], captions: list[str], seconds: float, title: str) -> str:
    """Return a page of HTML that plays the images; it needs no other file and no network."""
    frames = []
    for image in images:
        file = io.BytesIO()
        image.save(file, format="PNG", optimize=True)
        frames.append("data:image/png;base64," + base64.b64encode(file.getvalue()).decode())
    parts = {
        "TITLE": html.escape(title),
        "LAST": str(len(images) - 1),
        "FIRST_FRAME": frames[0],
        "WIDTH": str(images[0].width),
        "HEIGHT": str(images[0].height),
        "FRAMES": json.dumps(frames),
        "CAPTIONS": json.dumps(captions).replace("<", "\\u003c"),
        "MILLISECONDS": str(round(1000 * seconds)),
    }
    page = PLAYER
    for name, value in parts.items():
        page = page.replace(f"${name}$", value)
    return page


PLAYER = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$TITLE$</title>
<style>
  body { max-width: $WIDTH$px; margin: 1.5rem auto; padding: 0 1rem; font: 1rem sans-serif; }
  h1 { font-size: 1.25rem; }
  img { width: 100%; height: auto; }
  form { display: flex; gap: 1rem; align-items: center; }
  button { font: inherit; width: 6em; padding: 0.4em; }
  input { flex: 1; }
  output { width: 7em; text-align: right; font-variant-numeric: tabular-nums; }
</style>
</head>
<body>
<h1>$TITLE$</h1>
<img id="frame" src="$FIRST_FRAME$" width="$WIDTH$" height="$HEIGHT$" alt="$TITLE$">
<form onsubmit="return false">
  <button id="play" type="button">Play</button>
  <input id="place" type="range" min="0" max="$LAST$" value="0" aria-label="place in the film">
  <output id="caption" for="place"></output>
</form>
<p>Space plays and pauses; the arrow keys go a frame back and on.</p>
<script>
const frames = $FRAMES$;
const captions = $CAPTIONS$;
const [frame, play, place, caption] =
  ["frame", "play", "place", "caption"].map(id => document.getElementById(id));
let timer = null;

function show(number) {
  place.value = Math.max(0, Math.min(number, frames.length - 1));
  frame.src = frames[place.value];
  caption.value = captions[place.value];
  place.setAttribute("aria-valuetext", caption.value);
}
function pause() {
  clearInterval(timer);
  timer = null;
  play.textContent = "Play";
}
function start() {
  if (+place.value === frames.length - 1) show(0);
  play.textContent = "Pause";
  timer = setInterval(() => {
    show(+place.value + 1);
    if (+place.value === frames.length - 1) pause();
  }, $MILLISECONDS$);
}
function toggle() { timer === null ? start() : pause(); }

play.onclick = toggle;
place.oninput = () => { pause(); show(+place.value); };
document.onkeydown = event => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (event.key === " " && event.target !== play) { event.preventDefault(); toggle(); }
  if (step && event.target !== place) { pause(); show(+place.value + step); }
};
show(0);
if (!matchMedia("(prefers-reduced-motion: reduce)").matches) start();
</script>
</body>
</html>
"""
