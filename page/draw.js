// What all pictures share: colours of the scheme, canvases, markers, contour lines, grids.

// Okabe and Ito's colours, which colour-blind readers can tell apart, and a marker for each.
const CLASS_COLORS = [
  [213, 94, 0], [0, 114, 178], [0, 158, 115], [204, 121, 167], [230, 159, 0], [86, 180, 233],
  [240, 228, 66],
];
const CLASS_COLORS_DARK = [
  [240, 128, 40], [70, 165, 230], [30, 190, 145], [220, 145, 185], [240, 178, 40], [130, 205, 245],
  [240, 228, 90],
];

let theme = null;

// Reads the scheme's colours from the style sheet and makes the tables from values to pixels.
function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const color = name => style.getPropertyValue(name).trim();
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const paper = rgbOf(color("--plane")), ink = rgbOf(color("--ink"));
  const few = dark ? CLASS_COLORS_DARK : CLASS_COLORS;
  const classes = [0, 0.3, 0.55, 0.75].flatMap(share => few.map(one => mixed(one, ink, share)));
  const negative = rgbOf(color("--negative")), positive = rgbOf(color("--positive"));
  theme = {
    paper, classes, negative, positive,
    ink: color("--ink"), muted: color("--muted"), faint: color("--faint"),
    card: color("--card"),
    probability: pixelTable(classes[0], paper, classes[1], dark ? 0.6 : 0.5),
    units: pixelTable(negative, paper, positive, 1),
  };
  theme.likeliest = classes.map(one => pixelTable(paper, paper, one, dark ? 0.6 : 0.5));
}

const rgbOf = hex => [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16));
const cssOf = ([r, g, b], alpha = 1) => `rgba(${r}, ${g}, ${b}, ${alpha})`;
const mixed = (one, other, share) => one.map((value, i) => value + (other[i] - value) * share);

// 256 pixels from one colour over the middle to another, as RGBA in a 32-bit number.
function pixelTable(low, middle, high, strength) {
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const place = i / 127.5 - 1;
    const [r, g, b] = mixed(middle, place < 0 ? low : high, strength * Math.abs(place));
    return (255 << 24) | (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r);
  });
}

// Gives a canvas as many pixels as the screen has in its place; returns its context, in CSS pixels.
function fit(canvas) {
  const ratio = devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

function blankCanvas(width, height) {
  const canvas = document.createElement("canvas");
  return Object.assign(canvas, { width, height });
}

// A square grid of points over a range of the plane, with one cell more on each side, so that what
// is drawn between them reaches the edge.
class Grid {
  constructor(side, { x1, x2 }) {
    this.side = side;
    this.n = side * side;
    this.X = [new Float64Array(this.n), new Float64Array(this.n)];
    const place = ([low, high], i) => low + ((i - 0.5) / (side - 2)) * (high - low);
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        this.X[0][row * side + column] = place(x1, column);
        this.X[1][row * side + column] = place(x2, side - 1 - row);
      }
    }
    this.image = new ImageData(side, side);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.canvas = blankCanvas(side, side);
  }

  // Draws values, scaled to -1..1 and looked up in a table of pixels, into a box.
  paint(context, values, scale, table, [x, y, width, height]) {
    for (let i = 0; i < this.n; i++) {
      const place = values[i] * scale;
      this.pixels[i] = table[place > 1 ? 255 : place < -1 ? 0 : (127.5 * (place + 1)) | 0];
    }
    this.paintPixels(context, [x, y, width, height]);
  }

  paintPixels(context, [x, y, width, height]) {
    this.canvas.getContext("2d").putImageData(this.image, 0, 0);
    context.imageSmoothingEnabled = true;
    context.drawImage(this.canvas, 1, 1, this.side - 2, this.side - 2, x, y, width, height);
  }

  // Adds to a path the line where the values are 0, cell by cell: marching squares.
  trace(context, values, [x, y, width, height], stride = 1) {
    const { side } = this, dx = width / (side - 2), dy = height / (side - 2);
    for (let row = 0; row + stride < side; row += stride) {
      const top = y + (row - 0.5) * dy, bottom = top + stride * dy;
      for (let column = 0; column + stride < side; column += stride) {
        const at = row * side + column, below = at + stride * side;
        const a = values[at], b = values[at + stride];
        const c = values[below + stride], d = values[below];
        const kind = (a > 0) | ((b > 0) << 1) | ((c > 0) << 2) | ((d > 0) << 3);
        if (kind === 0 || kind === 15) continue;
        const left = x + (column - 0.5) * dx, right = left + stride * dx;
        const onTop = left + (a / (a - b)) * stride * dx;
        const onBottom = left + (d / (d - c)) * stride * dx;
        const onLeft = top + (a / (a - d)) * stride * dy;
        const onRight = top + (b / (b - c)) * stride * dy;
        for (const [one, other] of CELL_LINES[kind]) {
          for (const [edge, draw] of [[one, "moveTo"], [other, "lineTo"]]) {
            if (edge === 0) context[draw](onTop, top);
            else if (edge === 1) context[draw](right, onRight);
            else if (edge === 2) context[draw](onBottom, bottom);
            else context[draw](left, onLeft);
          }
        }
      }
    }
  }
}

// The edges (0 top, 1 right, 2 bottom, 3 left) that the line joins, for each set of corners above 0
// (1 left above, 2 right above, 4 right below, 8 left below).
const CELL_LINES = [
  [], [[3, 0]], [[0, 1]], [[3, 1]], [[1, 2]], [[3, 0], [1, 2]], [[0, 2]], [[3, 2]],
  [[2, 3]], [[2, 0]], [[0, 1], [2, 3]], [[2, 1]], [[1, 3]], [[1, 0]], [[0, 3]], [],
];

// Adds a class's marker to a path.
function addMarker(context, label, x, y, r) {
  const corners = MARKERS[label % MARKERS.length];
  if (!corners) {
    context.moveTo(x + r, y);
    context.arc(x, y, r, 0, 2 * Math.PI);
    return;
  }
  corners.forEach(([dx, dy], i) => context[i ? "lineTo" : "moveTo"](x + r * dx, y + r * dy));
  context.closePath();
}

const MARKERS = [
  null,
  [[0, -1.2], [1.1, 0.8], [-1.1, 0.8]],
  [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]],
  [[0, -1.25], [1.25, 0], [0, 1.25], [-1.25, 0]],
  [[0, 1.2], [1.1, -0.8], [-1.1, -0.8]],
  [[-0.4, -1.1], [0.4, -1.1], [0.4, -0.4], [1.1, -0.4], [1.1, 0.4], [0.4, 0.4], [0.4, 1.1],
    [-0.4, 1.1], [-0.4, 0.4], [-1.1, 0.4], [-1.1, -0.4], [-0.4, -0.4]],
  [[0, -0.45], [0.7, -1.15], [1.15, -0.7], [0.45, 0], [1.15, 0.7], [0.7, 1.15], [0, 0.45],
    [-0.7, 1.15], [-1.15, 0.7], [-0.45, 0], [-1.15, -0.7], [-0.7, -1.15]],
];

const percent = (share, digits = 1) =>
  (Number.isFinite(share) ? `${(100 * share).toFixed(digits)} %` : "–");

function shownValue(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1000 || (size > 0 && size < 0.001)) return value.toExponential(1);
  return value.toFixed(size < 10 ? 3 : 1);
}

// A few round numbers between two.
function ticks(low, high, count) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find(factor => factor * power >= rough);
  const values = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) {
    values.push(Number((i * step).toPrecision(12)));
  }
  return values;
}
