// The plane as a last hidden layer of two units bends it, where one line parts the classes.
class BentPlane {
  constructor(canvas) {
    this.canvas = canvas;
  }

  draw() {
    const { context, width, height } = fit(this.canvas), { network } = this;
    if (width === 0) return;
    const { grid } = network, [h1, h2] = network.units.at(-1).out;
    const [low1, high1] = rangeOf(h1, grid.n), [low2, high2] = rangeOf(h2, grid.n);
    const box = [1, 1, width - 2, height - 2];
    const toX = value => 1 + ((value - low1) / (high1 - low1)) * box[2];
    const toY = value => 1 + ((high2 - value) / (high2 - low2)) * box[3];
    const output = network.linearLayers().at(-1);
    this.drawOutput(context, output, { x1: [low1, high1], x2: [low2, high2] }, box);
    context.beginPath();
    const every = Math.max(2, Math.round(grid.side / 16));
    for (let i = 0; i < grid.side; i += every) {
      for (const at of [k => i * grid.side + k, k => k * grid.side + i]) {
        for (let k = 0; k < grid.side; k++) {
          context[k ? "lineTo" : "moveTo"](toX(h1[at(k)]), toY(h2[at(k)]));
        }
      }
    }
    context.strokeStyle = theme.muted;
    context.globalAlpha = 0.5;
    context.lineWidth = 0.75;
    context.stroke();
    context.globalAlpha = 1;
    this.drawPoints(context, toX, toY);
    context.strokeStyle = theme.faint;
    context.strokeRect(...box);
  }

  drawOutput(context, output, range, box) {
    if (!this.grid) this.grid = new Grid(42, range);
    const { side, n } = this.grid, { X: [first, second] } = new Grid(side, range);
    const weight = output.weight.value, bias = output.bias.value;
    if (this.logits?.length !== output.outputs) this.logits = roomFor(n, output.outputs);
    for (let k = 0; k < output.outputs; k++) {
      for (let i = 0; i < n; i++) {
        this.logits[k][i] = bias[k] + weight[2 * k] * first[i] + weight[2 * k + 1] * second[i];
      }
    }
    for (let i = 0; i < n; i++) {
      if (output.outputs === 1) {
        this.grid.pixels[i] = theme.probability[(255.99 / (1 + Math.exp(-this.logits[0][i]))) | 0];
      } else {
        const { best, lead } = likeliest(this.logits, i);
        this.grid.pixels[i] = theme.likeliest[best][(128 + 127 * lead) | 0];
      }
    }
    this.grid.paintPixels(context, box);
    if (output.outputs > 1) return;
    context.beginPath();
    this.grid.trace(context, this.logits[0], box);
    context.strokeStyle = theme.ink;
    context.lineWidth = 2;
    context.stroke();
  }

  drawPoints(context, toX, toY) {
    const { network } = this, { n, y } = network.train;
    network.model.forward(network.train.X, n);
    const [h1, h2] = network.units.at(-1).out;
    for (let label = 0; label < network.data.classNames.length; label++) {
      context.beginPath();
      for (let p = 0; p < n; p++) {
        if (y[p] === label) addMarker(context, label, toX(h1[p]), toY(h2[p]), 2.2);
      }
      context.fillStyle = cssOf(theme.classes[label]);
      context.fill();
    }
    network.look(network.grid); // the rows have the grid's values again
  }
}

function rangeOf(row, n) {
  let low = Infinity, high = -Infinity;
  for (let i = 0; i < n; i++) {
    if (row[i] < low) low = row[i];
    if (row[i] > high) high = row[i];
  }
  const margin = 0.05 * (high - low) || 1;
  return [low - margin, high + margin];
}
