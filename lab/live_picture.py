"""One picture of a model in training, drawn several times a second: boundary, units and losses."""

import io

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from torch import nn

from lab.pictures import plot_points_and_boundary
from support.modes import modes_put_back

WIDTH, HEIGHT = 840, 412  # pixels
PLANE = (48, 20, 338, 338)  # left, top, width and height of the panels, in pixels
UNITS = (416, 2, 420, 238)
LOSSES = (452, 260, 376, 98)
GAP, HEADING = 2, 14  # pixels between two units, and above a layer's
LARGEST, SMALLEST = 60, 18  # pixels of a unit's side
MAX_POINTS = 1000
UNIT_COLORS = mpl.colormaps["PRGn"](np.linspace(0, 1, 256), bytes=True)[:, :3]  # white at 0


class LivePicture:
    """A figure whose axes, ticks and texts are drawn once, and what changes as often as needed.

    `points` is "train" or "test": those that are shown.
    """

    def __init__(self, model, data, points: str = "train", title: str = ""):
        self._data = data
        X, y = (data.X_train, data.y_train) if points == "train" else (data.X_test, data.y_test)
        self._points = X[:MAX_POINTS], y[:MAX_POINTS]
        self._limits = plane_limits(data)
        parameters = sum(parameter.numel() for parameter in model.parameters())
        self._resolution = int(np.clip(np.sqrt(1e9 / parameters), 40, 150))  # wide ones take time

        self._figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100)
        self._canvas = FigureCanvasAgg(self._figure)
        with mpl.rc_context({"font.size": 8, "axes.titlesize": 9, "axes.titlepad": 4}):
            self._plane = self._panel(PLANE, title)
            self._losses = self._panel(LOSSES, "loss")
            self._losses.set(xlim=(0, 100), ylim=(0, 0.1), xlabel="epoch")
            style = dict(lw=1.5, animated=True)
            self._curves = [
                self._losses.plot([], [], line, color=color, label=label, **style)[0]
                for line, color, label in (("-", "#0072B2", "train"), ("--", "#D55E00", "test"))
            ]
            self._losses.legend(loc="upper right")
            self._lay_out_units([layer.in_features for layer in _linear(model)[1:]])
        self._background = None

    def draw(self, model, history: dict[str, list], small: bool = False) -> bytes:
        """Return the picture of a model and its history, which `train` describes, as PNG.

        `small` takes more time to make a smaller file, with 256 colours.
        """
        with mpl.rc_context({"font.size": 8}):
            self._draw_plane(model)
            self._draw_units(model)
            self._draw_losses(history)
            if self._background is None:
                self._canvas.draw()  # all but what is animated
                self._background = self._canvas.copy_from_bbox(self._figure.bbox)
            self._canvas.restore_region(self._background)
            plane = self._plane
            moving = (*plane.images, *plane.collections, *plane.lines, *plane.spines.values())
            for artist in (*sorted(moving, key=lambda a: a.zorder), *self._units, *self._curves):
                artist.draw(self._canvas.get_renderer())
        file = io.BytesIO()
        image = Image.fromarray(np.asarray(self._canvas.buffer_rgba())[..., :3])
        if small:
            image.quantize(256).save(file, format="PNG", optimize=True)
        else:
            image.save(file, format="PNG", compress_level=1)
        return file.getvalue()

    def _panel(self, box, title):
        left, top, width, height = box
        bottom = HEIGHT - top - height
        ax = self._figure.add_axes(
            (left / WIDTH, bottom / HEIGHT, width / WIDTH, height / HEIGHT), title=title
        )
        ax.tick_params(length=2, pad=2)
        ax.xaxis.labelpad = ax.yaxis.labelpad = 1
        return ax

    def _draw_plane(self, model):
        plane = self._plane
        for artist in (*plane.images, *plane.collections, *plane.lines):
            artist.remove()
        options = dict(grid_resolution=self._resolution, **self._limits)
        plot_points_and_boundary(model, *self._points, self._data, plane, **options)
        for artist in (*plane.images, *plane.collections, *plane.lines):
            artist.set_animated(True)
        if not self._figure.legends:
            self._add_legend(*plane.get_legend_handles_labels())

    def _add_legend(self, handles, names):
        """Name the classes below the plane, as many as have room."""
        names = [name if len(name) < 16 else name[:14] + "..." for name in names[:8]]
        top = PLANE[1] + PLANE[3] + (14 if self._data.feature_names is None else 26)
        corner = (0.02, 1 - top / HEIGHT)  # below the ticks and the features' names
        place = dict(loc="upper left", bbox_to_anchor=corner, frameon=False, borderpad=0)
        close = dict(ncols=4, columnspacing=1.2, handletextpad=0.1, labelspacing=0.3)
        legend = self._figure.legend(handles[:8], names, **place, **close)
        for text in (*legend.get_texts(), self._plane.xaxis.label, self._plane.yaxis.label):
            text.set_parse_math(False)  # a dollar sign in a name is no formula

    # The hidden units: one picture for all

    def _lay_out_units(self, widths):
        """Find the largest side at which all units have room, or show as many as have."""
        left, top, width, height = UNITS
        for side in range(LARGEST, SMALLEST - 1, -2):
            columns = width // (side + GAP)
            rows = [-(-units // columns) for units in widths]
            if sum(rows) * (side + GAP) + len(widths) * HEADING <= height:
                break
        else:
            most_layers = height // (side + GAP + HEADING)
            rows_of_one = (height // min(len(widths), most_layers) - HEADING) // (side + GAP)
            rows = [min(row, rows_of_one) for row in rows[:most_layers]]
        self._side, self._units = side, []
        for number, (units, row) in enumerate(zip(widths, rows, strict=False), 1):
            shown = min(units, row * columns)
            text = f"layer {number}: {units} unit{'s'[: units > 1]}"
            text += f", the first {shown} shown" if shown < units else ""
            if number == len(rows) < len(widths):
                text += f"; {len(widths) - number} more layers not shown"
            middle = top + HEADING / 2
            self._figure.text(left / WIDTH, 1 - middle / HEIGHT, text, va="center")
            top += HEADING + row * (side + GAP)
            pixels = row * (side + GAP), -(-shown // row) * (side + GAP)  # rows of equal length
            blank = np.full((*pixels, 3), 255, np.uint8)
            place = dict(xo=left, yo=HEIGHT - top, origin="upper")
            self._units.append(self._figure.figimage(blank, **place, animated=True))

    def _draw_units(self, model):
        side = self._side
        xs, ys = (np.linspace(*self._limits[name], side) for name in ("xlim", "ylim"))
        grid = np.stack(np.meshgrid(xs, ys[::-1]), axis=-1).reshape(-1, 2)
        activations = hidden_activations(model, torch.from_numpy(grid).float())
        for image, values in zip(self._units, activations, strict=False):
            mosaic = np.asarray(image.get_array())
            rows, columns = (pixels // (side + GAP) for pixels in mosaic.shape[:2])
            values = values[:, : rows * columns].T.numpy().reshape(-1, side, side)
            scale = max(np.abs(values).max(), 1e-12)
            pictures = UNIT_COLORS[(127.5 * (values / scale + 1)).astype(np.uint8)]
            for i, picture in enumerate(pictures):
                y, x = i // columns * (side + GAP), i % columns * (side + GAP)
                mosaic[y : y + side, x : x + side] = picture
            image.set_data(mosaic)

    # The losses

    def _draw_losses(self, history):
        both = history["train_loss"], history["test_loss"]
        for curve, losses in zip(self._curves, both, strict=True):
            curve.set_data(history["epoch"], losses)
        right = _round_up(max(history["epoch"][-1], 100))
        top = _round_up(1.05 * max(map(max, both)) or 0.01)
        if (self._losses.get_xlim()[1], self._losses.get_ylim()[1]) != (right, top):
            self._losses.set(xlim=(0, right), ylim=(0, top))
            self._background = None


def hidden_activations(model, X) -> list[torch.Tensor]:
    """Return what each hidden layer hands to the next in eval mode: tensors of shape (n, units)."""
    activations = []
    with modes_put_back(model), torch.no_grad():
        model.eval()
        first = _linear(model)[0]
        for layer in model.layers:
            if isinstance(layer, nn.Linear) and layer is not first:
                activations.append(X)
            X = layer(X)
    return activations


def _linear(model):
    return [layer for layer in model.layers if isinstance(layer, nn.Linear)]


def plane_limits(data):
    """Return xlim and ylim around all points: a square, where both features have one unit."""
    X = torch.cat([data.X_train, data.X_test]).numpy()
    low, high = X.min(axis=0), X.max(axis=0)
    middle, half = (low + high) / 2, 0.53 * (high - low)
    if data.feature_names is None:
        half[:] = half.max()
    half[half == 0] = 1
    return {
        name: (float(middle[i] - half[i]), float(middle[i] + half[i]))
        for i, name in enumerate(("xlim", "ylim"))
    }


def _round_up(value):
    """Return the next number of 1, 2 and 5 times a power of ten."""
    power = 10 ** np.floor(np.log10(value))
    return float(next(f * power for f in (1, 2, 5, 10) if f * power >= value))
