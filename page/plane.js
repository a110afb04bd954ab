// A plane: what a network says everywhere, its 0.5 line, and the points.

// The range around all points: a square, where both features have one unit.
function planeRange(data) {
  const ranges = [0, 1].map(i => {
    const values = [...data.train.X[i], ...data.test.X[i]];
    if (values.length === 0) return [-1.3, 1.3];
    const low = values.reduce((a, b) => Math.min(a, b));
    const high = values.reduce((a, b) => Math.max(a, b));
    const middle = (low + high) / 2, half = 0.53 * (high - low);
    return [middle - half, middle + half];
  });
  const halves = ranges.map(([low, high]) => (high - low) / 2);
  const largest = Math.max(...halves);
  const [x1, x2] = ranges.map(([low, high], i) => {
    const half = (data.featureNames ? halves[i] : largest) || 1;
    return [(low + high) / 2 - half, (low + high) / 2 + half];
  });
  return { x1, x2 };
}

class Plane {
  constructor(canvas) {
    this.canvas = canvas;
    this.points = blankCanvas(1, 1); // drawn once, as they are many
    this.stale = true;
  }

  // The place of the plane itself within the canvas; the ticks have the rest.
  layOut(width, height) {
    const left = width < 260 ? 20 : 30, bottom = width < 260 ? 16 : 20;
    this.box = [left, 1, width - left - 1, height - bottom - 1];
    this.radius = Math.max(1.6, Math.min(4.5, width / 95) *
      Math.min(1.3, Math.max(0.6, Math.sqrt(400 / (app.data.train.n + app.data.test.n)))));
  }

  toPixels(x1, x2) {
    const [x, y, width, height] = this.box, range = app.range;
    return [
      x + ((x1 - range.x1[0]) / (range.x1[1] - range.x1[0])) * width,
      y + ((range.x2[1] - x2) / (range.x2[1] - range.x2[0])) * height,
    ];
  }

  toData(px, py) {
    const [x, y, width, height] = this.box, range = app.range;
    return [
      range.x1[0] + ((px - x) / width) * (range.x1[1] - range.x1[0]),
      range.x2[1] - ((py - y) / height) * (range.x2[1] - range.x2[0]),
    ];
  }

  isInside(px, py) {
    const [x, y, width, height] = this.box;
    return px >= x && px <= x + width && py >= y && py <= y + height;
  }

  draw() {
    const { context, width, height } = fit(this.canvas);
    if (width === 0) return;
    this.layOut(width, height);
    context.save();
    context.beginPath();
    context.rect(...this.box);
    context.clip();
    if (this.network.looking) this.drawUnit(context);
    else this.drawOutput(context);
    context.restore();
    this.drawPoints(context, width, height);
    this.drawRings(context);
    if (!this.network.looking) this.drawBoundary(context);
    this.drawTicks(context);
    this.drawCursor(context);
  }

  drawOutput(context) {
    const { grid, gridLogits: logits } = this.network, { pixels } = grid;
    if (logits.length === 1) {
      for (let i = 0; i < grid.n; i++) {
        pixels[i] = theme.probability[(255.99 / (1 + Math.exp(-logits[0][i]))) | 0];
      }
    } else {
      for (let i = 0; i < grid.n; i++) {
        const { best, lead } = likeliest(logits, i);
        pixels[i] = theme.likeliest[best][(128 + 127 * lead) | 0];
      }
    }
    grid.paintPixels(context, this.box);
  }

  // The line where the network can't decide: where the probability is 0.5, or two classes lead.
  drawBoundary(context) {
    const { grid, gridLogits: logits } = this.network;
    context.save();
    context.beginPath();
    context.rect(...this.box);
    context.clip();
    context.beginPath();
    if (logits.length === 1) {
      grid.trace(context, logits[0], this.box);
    } else {
      const [lead] = this.lead = roomFor(grid.n, 1, this.lead);
      for (let k = 0; k < logits.length; k++) {
        for (let i = 0; i < grid.n; i++) {
          let other = -Infinity;
          for (let m = 0; m < logits.length; m++) {
            if (m !== k && logits[m][i] > other) other = logits[m][i];
          }
          lead[i] = logits[k][i] - other;
        }
        grid.trace(context, lead, this.box);
      }
    }
    context.lineCap = "round";
    context.strokeStyle = cssOf(theme.paper, 0.85);
    context.lineWidth = 4.5;
    context.stroke();
    context.strokeStyle = theme.ink;
    context.lineWidth = 2;
    context.stroke();
    context.restore();
  }

  drawUnit(context) {
    const { grid, looking: { layer, unit } } = this.network;
    const { pre, out } = this.network.units[layer];
    grid.paint(context, out[unit], 1 / this.network.largest[layer], theme.units, this.box);
    context.beginPath();
    grid.trace(context, pre[unit], this.box);
    context.strokeStyle = theme.ink;
    context.lineWidth = 1.5;
    context.stroke();
  }

  drawPoints(context, width, height) {
    const ratio = devicePixelRatio || 1;
    const size = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.stale || this.points.width !== size[0] || this.points.height !== size[1]) {
      Object.assign(this.points, { width: size[0], height: size[1] });
      const pen = this.points.getContext("2d");
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      pen.beginPath();
      pen.rect(...this.box);
      pen.clip();
      if (app.shown.train) this.drawPart(pen, app.data.train, true);
      if (app.shown.test) this.drawPart(pen, app.data.test, false);
      this.stale = false;
    }
    context.drawImage(this.points, 0, 0, width, height);
  }

  drawPart(pen, { X, y, n }, filled) {
    for (let label = 0; label < app.data.classNames.length; label++) {
      pen.beginPath();
      for (let p = 0; p < n; p++) {
        if (y[p] === label) addMarker(pen, label, ...this.toPixels(X[0][p], X[1][p]), this.radius);
      }
      const color = cssOf(theme.classes[label]);
      pen.lineJoin = "round";
      if (filled) {
        pen.strokeStyle = cssOf(theme.paper, 0.9);
        pen.lineWidth = this.radius * 0.5;
        pen.stroke();
        pen.fillStyle = color;
        pen.fill();
      } else {
        pen.strokeStyle = color;
        pen.fillStyle = cssOf(theme.paper, 0.95);
        pen.lineWidth = Math.max(1, this.radius * 0.5);
        pen.fill();
        pen.stroke();
      }
    }
  }

  drawRings(context) {
    if (!app.shown.test || this.network.looking) return;
    const { X, n } = app.data.test;
    context.beginPath();
    for (let p = 0; p < n; p++) {
      if (!this.network.wrong[p]) continue;
      const [x, y] = this.toPixels(X[0][p], X[1][p]);
      context.moveTo(x + this.radius * 2, y);
      context.arc(x, y, this.radius * 2, 0, 2 * Math.PI);
    }
    context.strokeStyle = theme.ink;
    context.lineWidth = Math.max(1, this.radius * 0.3);
    context.stroke();
  }

  drawTicks(context) {
    const [x, y, width, height] = this.box, { range } = app, small = width < 230;
    context.strokeStyle = theme.faint;
    context.lineWidth = 1;
    context.strokeRect(x, y, width, height);
    context.fillStyle = theme.muted;
    context.font = `${small ? 9 : 11}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "top";
    const [name1, name2] = axisNames();
    for (const value of ticks(...range.x1, small ? 2 : 4)) {
      const [px] = this.toPixels(value, 0);
      const hasRoom = px < x + width - 14 - 6 * name1.length;
      if (hasRoom) context.fillText(tickText(value), px, y + height + 4);
    }
    context.textAlign = "right";
    context.fillText(name1, x + width, y + height + 4);
    context.textBaseline = "middle";
    for (const value of ticks(...range.x2, small ? 2 : 4)) {
      const [, py] = this.toPixels(0, value);
      if (py > y + 22) context.fillText(tickText(value), x - 4, py);
    }
    context.textBaseline = "top";
    context.save();
    if (name2.length > 3) {
      context.translate(x - 14, y);
      context.rotate(-Math.PI / 2);
      context.fillText(name2, 0, 0);
    } else {
      context.fillText(name2, x - 4, y);
    }
    context.restore();
  }

  // A cross at the place whose values are shown, in all planes at once.
  drawCursor(context) {
    if (!app.cursor) return;
    const [x, y] = this.toPixels(...app.cursor);
    if (!this.isInside(x, y)) return;
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(x + 4 * dx, y + 4 * dy);
      context.lineTo(x + 11 * dx, y + 11 * dy);
    }
    context.lineWidth = 4;
    context.strokeStyle = cssOf(theme.paper, 0.9);
    context.stroke();
    context.lineWidth = 1.5;
    context.strokeStyle = theme.ink;
    context.stroke();
  }
}

const axisNames = () => app.data.featureNames ?? ["x₁", "x₂"];
const tickText = value => String(value).replace("-", "−");

// The likeliest class of point i and how far its probability leads.
function likeliest(logits, i) {
  let best = 0, second = -Infinity, total = 0;
  for (let k = 1; k < logits.length; k++) if (logits[k][i] > logits[best][i]) best = k;
  for (let k = 0; k < logits.length; k++) {
    total += Math.exp(logits[k][i] - logits[best][i]);
    if (k !== best && logits[k][i] > second) second = logits[k][i];
  }
  return { best, lead: (1 - Math.exp(second - logits[best][i])) / total };
}
