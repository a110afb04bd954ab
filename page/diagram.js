// A network as a drawing: each unit with its picture and its kink line, weights as lines.

const UNIT_GAP = 4, LEAST_SIDE = 11, MOST_HEIGHT = 300; // pixels

class Diagram {
  constructor(canvas) {
    Object.assign(this, { canvas, nodes: [], chosen: null });
    this.weights = blankCanvas(1, 1);
  }

  // Finds the largest side at which all units have room; of very wide layers only some have. The
  // canvas gets as high as the highest layer.
  layOut(width, height) {
    const { settings: { inputs, hiddenUnits } } = this.network;
    const outputs = this.network.linearLayers().at(-1).outputs;
    const layers = [inputs.length, ...hiddenUnits, outputs];
    const left = 34, right = 8, top = 20, gaps = layers.length - 1;
    const least = Math.max(14, Math.min(76, (width - left - right) / (1.5 * layers.length)));
    let side = 48, rows, columns;
    for (; side >= LEAST_SIDE; side--) {
      rows = Math.max(1, Math.floor((height - top + UNIT_GAP) / (side + UNIT_GAP)));
      columns = layers.map(units => Math.ceil(units / rows));
      const used = columns.reduce((total, count) => total + count * (side + UNIT_GAP), 0);
      if (used + gaps * least <= width - left - right) break;
    }
    if (side < LEAST_SIDE) {
      side = LEAST_SIDE;
      const room = Math.floor((width - left - right - gaps * least) / (side + UNIT_GAP));
      const most = Math.max(1, Math.floor(room / layers.length));
      columns = columns.map(count => Math.min(count, most));
    }
    const step = side + UNIT_GAP;
    const used = columns.reduce((total, count) => total + count * step, 0);
    const gap = gaps ? Math.min(120, (width - left - right - used) / gaps) : 0;
    let x = left + Math.max(0, (width - left - right - used - gaps * gap) / 2);
    Object.assign(this, { side, gap });
    const highest = Math.max(...layers.map((units, number) =>
      Math.ceil(Math.min(units, columns[number] * rows) / columns[number])));
    height = top + highest * step;
    this.canvas.style.height = `${height}px`;
    this.layers = layers.map((units, number) => {
      const shown = Math.min(units, columns[number] * rows);
      const chosen = shown < units ? this.heaviest(number, shown) : [...Array(units).keys()];
      const perColumn = Math.ceil(shown / columns[number]);
      const nodes = chosen.map((unit, i) => ({
        layer: number - 1,
        unit,
        x: x + Math.floor(i / perColumn) * step,
        y: top + (height - top - perColumn * step) / 2 + (i % perColumn) * step,
      }));
      const layer = { nodes, units, x, width: columns[number] * step - UNIT_GAP };
      x += columns[number] * step + gap;
      return layer;
    });
    this.nodes = this.layers.flatMap(layer => layer.nodes);
    this.width = width;
    this.lines = null;
  }

  // The units of a hidden layer whose weights to the next one are the largest.
  heaviest(number, count) {
    const next = this.network.linearLayers()[number], { value } = next.weight;
    const weigh = unit => {
      let total = 0;
      for (let j = 0; j < next.outputs; j++) total += Math.abs(value[j * next.inputs + unit]);
      return total;
    };
    const order = Array.from({ length: next.inputs }, (_, unit) => [weigh(unit), unit]);
    const chosen = order.sort((a, b) => b[0] - a[0]).slice(0, count);
    return chosen.map(([, unit]) => unit).sort((a, b) => a - b);
  }

  draw() {
    const { clientWidth: width } = this.canvas;
    if (width === 0) return;
    if (this.width !== width) this.layOut(width, MOST_HEIGHT);
    const { context, height } = fit(this.canvas), { weights } = this;
    if (weights.width !== this.canvas.width || weights.height !== this.canvas.height) {
      Object.assign(weights, { width: this.canvas.width, height: this.canvas.height });
      this.lines = null;
    }
    if (!this.lines || !app.running || app.frames % 5 === 0) this.drawWeights();
    context.drawImage(weights, 0, 0, width, height);
    this.drawUnits(context);
    this.drawNames(context);
  }

  // The weights change slowly and are many lines: in training, each fifth picture shows them anew.
  drawWeights() {
    const context = this.weights.getContext("2d"), ratio = devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.weights.width, this.weights.height);
    this.lines = [];
    this.network.linearLayers().forEach((linear, number) => {
      const from = this.layers[number], to = this.layers[number + 1], { value } = linear.weight;
      let largest = 1e-12;
      for (const weight of value) largest = Math.max(largest, Math.abs(weight));
      const many = from.nodes.length * to.nodes.length;
      const least = many > 600 ? 0.5 : many > 150 ? 0.18 : 0.03; // of many lines the strong ones
      const paler = many > 600 ? 0.4 : many > 150 ? 0.7 : 1;
      for (const one of from.nodes) {
        for (const other of to.nodes) {
          const weight = value[other.unit * linear.inputs + one.unit];
          const share = Math.abs(weight) / largest;
          if (share < least) continue;
          const half = this.side / 2;
          const line = [one.x + this.side, one.y + half, other.x, other.y + half];
          context.beginPath();
          context.moveTo(line[0], line[1]);
          const middle = (line[0] + line[2]) / 2;
          context.bezierCurveTo(middle, line[1], middle, line[3], line[2], line[3]);
          context.lineWidth = 0.4 + 3.6 * share * Math.min(1, 12 / Math.sqrt(many));
          context.strokeStyle = cssOf(weight > 0 ? theme.positive : theme.negative,
            (0.08 + 0.7 * share ** 1.5) * paler);
          context.stroke();
          this.lines.push({ number, one, other, weight, line });
        }
      }
    });
  }

  drawUnits(context) {
    const { network, side } = this, { grid } = network;
    const hidden = this.nodes.filter(({ layer }) => layer >= 0 && layer < network.units.length);
    const cells = (grid.side - 2) / 2;
    if (this.atlas?.width !== cells || this.atlas.height !== cells * this.nodes.length) {
      this.atlas = new ImageData(cells, cells * this.nodes.length);
      this.pixels = new Uint32Array(this.atlas.data.buffer);
      this.sheet = blankCanvas(cells, cells * this.nodes.length);
    }
    this.nodes.forEach((node, number) => {
      const { values, scale, table } = this.lookOf(node);
      let at = number * cells * cells;
      for (let row = 1; row < grid.side - 1; row += 2) {
        for (let i = row * grid.side + 1, end = i + 2 * cells; i < end; i += 2) {
          const place = values[i] * scale;
          this.pixels[at++] = table[place > 1 ? 255 : place < -1 ? 0 : (127.5 * (place + 1)) | 0];
        }
      }
    });
    this.sheet.getContext("2d").putImageData(this.atlas, 0, 0);
    context.fillStyle = theme.card;
    this.nodes.forEach(({ x, y }, number) => {
      context.fillRect(x - 1, y - 1, side + 2, side + 2);
      context.drawImage(this.sheet, 0, number * cells, cells, cells, x, y, side, side);
    });
    context.beginPath();
    for (const { layer, unit, x, y } of hidden) {
      grid.trace(context, network.units[layer].pre[unit], [x, y, side, side], 2);
    }
    context.strokeStyle = theme.ink;
    context.lineWidth = side < 24 ? 0.75 : 1;
    context.stroke();
    context.strokeStyle = theme.faint;
    context.lineWidth = 1;
    for (const { x, y } of this.nodes) context.strokeRect(x - 0.5, y - 0.5, side + 1, side + 1);
    context.strokeStyle = theme.ink;
    context.lineWidth = 2;
    for (const node of [this.chosen, this.enlarged()].filter(Boolean)) {
      context.strokeRect(node.x - 1.5, node.y - 1.5, side + 3, side + 3);
    }
  }

  enlarged() {
    const { looking } = this.network;
    return looking && this.nodes.find(({ layer, unit }) =>
      layer === looking.layer && unit === looking.unit);
  }

  // The values of a unit on the grid, their scale to -1..1, and the table from them to pixels.
  lookOf({ layer, unit }) {
    const { network } = this;
    if (layer < 0) {
      const values = network.gridX[unit];
      return { values, scale: 1 / (this.inputScale(unit) || 1), table: theme.units };
    }
    if (layer < network.units.length) {
      const scale = 1 / network.largest[layer];
      return { values: network.units[layer].out[unit], scale, table: theme.units };
    }
    if (network.gridLogits.length > 1) {
      return { values: network.gridLogits[unit], scale: 0.2, table: theme.units };
    }
    const { n } = network.grid, logits = network.gridLogits[0];
    if (this.probability?.length !== n) this.probability = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      this.probability[i] = 2 / (1 + Math.exp(-logits[i])) - 1;
    }
    return { values: this.probability, scale: 1, table: theme.probability };
  }

  inputScale(unit) {
    if (this.scaledGrid !== this.network.grid) {
      this.scaledGrid = this.network.grid;
      this.scales = this.network.gridX.map(row =>
        row.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0));
    }
    return this.scales[unit];
  }

  drawNames(context) {
    const { side, network } = this;
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = theme.muted;
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (const { unit, x, y } of this.layers[0].nodes) {
      context.fillText(inputText(network.settings.inputs[unit]), x - 5, y + side / 2);
    }
    context.textAlign = "center";
    context.textBaseline = "top";
    this.layers.slice(1, -1).forEach(({ nodes, units, x, width }, number) => {
      const short = width + this.gap < 50;
      let text = short ? `${number + 1}` : `layer ${number + 1}`;
      if (nodes.length < units && !short) text = `${nodes.length} of ${units}`;
      context.fillText(text, x + width / 2, 3);
    });
    if (side < 22) return;
    context.textBaseline = "middle";
    for (const { layer, unit, x, y } of this.nodes) {
      if (isOff(network, layer, unit)) context.fillText("off", x + side / 2, y + side / 2);
    }
  }

  nodeAt(x, y) {
    const reach = UNIT_GAP / 2, { side } = this;
    return this.nodes.find(node => x >= node.x - reach && x <= node.x + side + reach &&
      y >= node.y - reach && y <= node.y + side + reach) ?? null;
  }

  // The line that is nearest, if one is near.
  lineAt(x, y) {
    let best = null, least = 5;
    for (const one of this.lines) {
      const [x1, y1, x2, y2] = one.line;
      if (x < x1 || x > x2) continue;
      const t = bezierPlace((x - x1) / (x2 - x1));
      const distance = Math.abs(y1 + (y2 - y1) * (3 * t * t - 2 * t ** 3) - y);
      if (distance < least) [best, least] = [one, distance];
    }
    return best;
  }

  describe(node) {
    const { network } = this;
    if (node.layer < 0) return `input ${inputText(network.settings.inputs[node.unit])}`;
    const linear = network.linearLayers()[node.layer];
    const bias = `bias ${shownValue(linear.bias.value[node.unit])}`;
    if (node.layer === network.units.length) {
      const of = network.gridLogits.length === 1 ? "" : ` for ${app.data.classNames[node.unit]}`;
      return `output${of}, ${bias}`;
    }
    const off = isOff(network, node.layer, node.unit) ? ", off everywhere" : "";
    return `${unitName(node)}, ${bias}${off}`;
  }

  describeLine({ number, one, other, weight }) {
    const from = number === 0
      ? inputText(this.network.settings.inputs[one.unit]) : unitName(one);
    const to = number === this.network.units.length ? "the output" : unitName(other);
    return `weight ${shownValue(weight)}, from ${from} to ${to}`;
  }
}

const unitName = ({ layer, unit }) => `unit ${unit + 1} of layer ${layer + 1}`;
const inputText = name => name.replace("^2", "²").replace("x1", "x₁").replace("x2", "x₂");

// Whether a hidden unit is 0 at every point of the plane.
function isOff(network, layer, unit) {
  if (layer < 0 || layer >= network.units.length || !network.settings.activation) return false;
  const { out } = network.units[layer];
  for (let i = 0; i < network.grid.n; i++) if (out[unit][i] !== 0) return false;
  return true;
}

// The parameter at which a curve with its handles half way between the ends is so far across.
function bezierPlace(share) {
  let low = 0, high = 1;
  for (let i = 0; i < 20; i++) {
    const t = (low + high) / 2, across = 1.5 * t * (1 - t) ** 2 + 1.5 * t * t * (1 - t) + t ** 3;
    if (across < share) low = t;
    else high = t;
  }
  return low;
}
