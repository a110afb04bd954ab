"""Films of training: snapshots of models, as the frames of a GIF and for the page to play."""

import copy
import io
from itertools import cycle
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from lab.page import film_page
from lab.pictures import plot_points_and_boundary
from lab.progress import progress
from lab.reports import kind
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

    def develop(self, look, seconds: float) -> bytes:
        """Return the film as a GIF, with `seconds` from one frame to the next.

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
            figure.set_layout_engine("none")  # as in the first frame, so that nothing moves
            images.append(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()))
            bar.update()
        bar.close()

        return write_gif(few_colors(images), seconds)


def animate_training(
    film: Film,
    data: Data,
    out: Path | str,
    *,
    settings: dict | None = None,
    seconds: float = 0.1,
) -> None:
    """Write a film of models as training.gif, and training.html, a page that can train on.

    film: of a CircleModelV0, a CircleModelV2 or one of each, trained to the end.
    data: what they were trained on; the boundaries are drawn among its training points.
    settings: of the training, for the page to go on with; train.py's defaults for what is missing.
    seconds: from one frame of the GIF to the next.

    A ValueError tells of a film that saw no model, or other models, or one whose training stopped
    short.
    """

    def look(model, panel):
        loss, accuracy = evaluate(model, data.X_train, data.y_train)
        title = f"{kind(model)}: {percent(accuracy, digits=1)} right"
        plot_points_and_boundary(
            model, data.X_train, data.y_train, data, panel, title=title, grid_resolution=201
        )
        return loss

    gif = film.develop(look, seconds)
    models, states = zip(*film.reels, strict=True)
    page = film_page(data, models, film.epochs, states, settings)
    write_atomically(Path(out) / "training.gif", gif)
    write_atomically(Path(out) / "training.html", page.encode())


def _stage(models, epochs):
    """Return a figure with a panel for each model and one for the losses, and the loss curves."""
    figure = Figure(figsize=(3.7 * len(models) + 3.3, 4.1), dpi=80, layout="constrained")
    *panels, loss_panel = figure.subplots(1, len(models) + 1)
    curves = [
        loss_panel.plot([], [], style, color="black", label=kind(model), marker="o")[0]
        for model, style in zip(models, cycle(("--", "-", ":", "-.")), strict=False)
    ]
    figure.legend(loc="outside lower right", ncols=len(models), fontsize=9, handlelength=4)
    loss_panel.set(title="loss on the training set", xlabel="epoch", xlim=(0, epochs))
    loss_panel.ticklabel_format(axis="y", scilimits=(-2, 3))  # numbers of much the same length
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
