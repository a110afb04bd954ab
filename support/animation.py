"""Films of training: snapshots of models, and frames as a GIF or as a page with a player."""

import base64
import html
import io
import json

from PIL import Image


class Film:
    """Snapshots of models while they train, at epochs that lie closer together early on.

    `train(model, data, on_epoch=film.watch(model))` takes a model's; do so for as many models as
    are to be seen side by side. `epochs` is the number of epochs that they will train.
    """

    def __init__(self, epochs: int, frames: int = 64):
        self.epochs = spaced_epochs(epochs, frames)
        self.reels = []  # for each model: the model, and its state_dict at each of the epochs

    def watch(self, model):
        """Return a function for `on_epoch` that keeps a copy of the model's state when due."""
        states = []
        self.reels.append((model, states))

        def on_epoch(epoch):
            if len(states) < len(self.epochs) and epoch == self.epochs[len(states)]:
                state = model.state_dict()
                states.append({name: tensor.clone() for name, tensor in state.items()})

        return on_epoch


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
