// The curves of loss and accuracy; those of the run before stay as a grey shadow.

const LINE_STYLES = { linear: [6, 4], bent: [] };

class Curves {
  // kind: "Loss" or "Acc".
  constructor(canvas, kind) {
    Object.assign(this, { canvas, kind });
  }

  draw({ networks, shadows, best, lastEpoch }) {
    const { context, width, height } = fit(this.canvas);
    if (width === 0) return;
    const box = [44, 8, width - 54, height - 28];
    const right = Math.max(lastEpoch ?? 100, ...networks.map(network => network.epoch),
      ...shadows.map(({ history }) => history.epoch.at(-1)));
    const [low, high] = this.range(networks);
    const toX = epoch => box[0] + (epoch / right) * box[2];
    const toY = value => box[1] + ((high - value) / (high - low)) * box[3];
    this.drawAxes(context, box, right, low, high, toX, toY);
    context.save();
    context.beginPath();
    context.rect(box[0] - 4, box[1] - 4, box[2] + 8, box[3] + 8);
    context.clip();
    if (this.kind === "Acc" && best) {
      const ends = [[toX(0), toX(right)], [toY(best), toY(best)]];
      this.drawLine(context, ...ends, [1.5, 3], theme.muted, 1.25);
    }
    const draw = (history, dash, part, color, width) => this.drawLine(
      context, history.epoch.map(toX), history[part + this.kind].map(toY), dash, color, width,
    );
    for (const { name, history } of shadows) {
      draw(history, LINE_STYLES[name], "test", theme.faint, 2);
    }
    for (const { name, history } of networks) {
      draw(history, LINE_STYLES[name], "train", theme.muted, 1);
      draw(history, LINE_STYLES[name], "test", theme.ink, 2);
    }
    for (const { history } of networks) {
      const last = ["test", "train"].map(part => history[part + this.kind].at(-1));
      context.beginPath();
      context.arc(toX(history.epoch.at(-1)), toY(last.find(Number.isFinite)), 3, 0, 2 * Math.PI);
      context.fillStyle = theme.ink;
      context.fill();
    }
    context.restore();
  }

  range(networks) {
    const values = networks.flatMap(({ history }) =>
      [...history[`train${this.kind}`], ...history[`test${this.kind}`]]).filter(Number.isFinite);
    if (this.kind === "Acc") return values.some(value => value < 0.3) ? [0, 1] : [0.3, 1];
    const first = Math.max(0.1, ...networks.map(({ history }) => history.trainLoss[0] || 0));
    return [0, 1.05 * Math.min(2 * first, Math.max(first, ...values))];
  }

  drawAxes(context, [x, y, width, height], right, low, high, toX, toY) {
    context.strokeStyle = theme.faint;
    context.lineWidth = 1;
    context.fillStyle = theme.muted;
    context.font = "11px system-ui, sans-serif";
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const value of ticks(low, high, 3)) {
      context.globalAlpha = 0.6;
      context.beginPath();
      context.moveTo(x, toY(value));
      context.lineTo(x + width, toY(value));
      context.stroke();
      context.globalAlpha = 1;
      const text = this.kind === "Acc" ? `${Math.round(100 * value)} %` : value;
      context.fillText(text, x - 5, toY(value));
    }
    context.textAlign = "center";
    context.textBaseline = "top";
    for (const epoch of ticks(0, right, Math.max(2, Math.min(6, width / 90)))) {
      const text = epoch.toLocaleString("en"), half = context.measureText(text).width / 2;
      const most = x + width + 10 - half; // the canvas ends there
      context.fillText(text, Math.min(toX(epoch), most), y + height + 6);
    }
  }

  drawLine(context, xs, ys, dash, color, width) {
    context.beginPath();
    for (let i = 0; i < xs.length; i++) {
      if (Number.isFinite(ys[i])) context.lineTo(xs[i], Math.max(-1e4, ys[i]));
    }
    context.setLineDash(dash);
    context.strokeStyle = color;
    context.lineWidth = width;
    context.lineJoin = "round";
    context.stroke();
    context.setLineDash([]);
  }
}
