// Training and evaluation, as in train.py.

// The mean loss of logits, and its gradient with respect to them. With one row of logits there are
// two classes: binary cross-entropy on a sigmoid. With a row for each class: cross-entropy.
function lossFunction(logits, y, n, gradient) {
  return logits.length === 1
    ? binaryCrossEntropy(logits[0], y, n, gradient?.[0])
    : crossEntropy(logits, y, n, gradient);
}

function binaryCrossEntropy(logits, y, n, gradient) {
  let loss = 0;
  for (let p = 0; p < n; p++) {
    const z = logits[p], power = Math.exp(-Math.abs(z)); // never overflows
    loss += Math.max(z, 0) - z * y[p] + Math.log1p(power);
    if (gradient) gradient[p] = ((z > 0 ? 1 : power) / (1 + power) - y[p]) / n;
  }
  return loss / n;
}

function crossEntropy(logits, y, n, gradient) {
  let loss = 0;
  const classes = logits.length;
  for (let p = 0; p < n; p++) {
    let largest = -Infinity, total = 0;
    for (let k = 0; k < classes; k++) largest = Math.max(largest, logits[k][p]);
    for (let k = 0; k < classes; k++) total += Math.exp(logits[k][p] - largest);
    loss += largest + Math.log(total) - logits[y[p]][p];
    if (!gradient) continue;
    for (let k = 0; k < classes; k++) {
      gradient[k][p] = (Math.exp(logits[k][p] - largest) / total - (k === y[p] ? 1 : 0)) / n;
    }
  }
  return loss / n;
}

// The likeliest class of point p.
function predict(logits, p) {
  if (logits.length === 1) return logits[0][p] > 0 ? 1 : 0;
  let best = 0;
  for (let k = 1; k < logits.length; k++) if (logits[k][p] > logits[best][p]) best = k;
  return best;
}

// The loss and the accuracy on a part of the data, { X, y, n }; marks the points that are wrong.
function evaluate(model, part, wrong) {
  const { X, y, n } = part;
  const logits = model.forward(X, n, false);
  let right = 0;
  for (let p = 0; p < n; p++) {
    const isRight = predict(logits, p) === y[p];
    if (isRight) right++;
    if (wrong) wrong[p] = isRight ? 0 : 1;
  }
  return { loss: lossFunction(logits, y, n), accuracy: right / n };
}

// A model in training. The settings lr, momentum, weightDecay and l1 may change on the way.
class Training {
  constructor(model, part, settings) {
    Object.assign(this, { model, part, settings, epoch: 0 });
    this.random = new MersenneTwister(settings.seed); // of the order of the batches
    this.order = new Int32Array(part.n);
    const size = Math.min(settings.batchSize ?? part.n, part.n);
    this.batches = Math.ceil(part.n / size);
    this.X = roomFor(size, part.X.length);
    this.y = new Int32Array(size);
  }

  trainEpoch() {
    const { X, y, n } = this.part;
    if (this.batches === 1) {
      this.step(X, y, n);
    } else {
      this.random.torchPermutation(this.order);
      for (let i = 0, start = 0; i < this.batches; i++) {
        const size = Math.floor(n / this.batches) + (i < n % this.batches ? 1 : 0);
        this.pick(start, size);
        this.step(this.X, this.y, size);
        start += size;
      }
    }
    this.epoch++;
  }

  pick(start, size) {
    for (let p = 0; p < size; p++) {
      const point = this.order[start + p];
      for (let i = 0; i < this.X.length; i++) this.X[i][p] = this.part.X[i][point];
      this.y[p] = this.part.y[point];
    }
  }

  step(X, y, n) {
    const logits = this.model.forward(X, n, true);
    this.gradient = roomFor(n, logits.length, this.gradient);
    lossFunction(logits, y, n, this.gradient);
    this.model.backward(this.gradient, n);
    this.descend();
  }

  // Stochastic gradient descent, as torch.optim.SGD.
  descend() {
    const { lr, momentum, weightDecay, l1 } = this.settings;
    for (const { value, gradient, velocity } of this.model.parameters) {
      for (let i = 0; i < value.length; i++) {
        const slope = gradient[i] + weightDecay * value[i] + l1 * Math.sign(value[i]);
        velocity[i] = momentum * velocity[i] + slope;
        value[i] -= lr * velocity[i];
      }
    }
  }
}
