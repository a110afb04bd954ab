// The layers, which for train.py are torch's. They compute in double precision, torch in single.
//
// Values are kept in rows: a row holds one unit's value for each of n points. A layer takes the
// rows of the layer before and returns its own; backward takes the gradient of the loss with
// respect to its rows, stores that of its parameters, and returns that of what it was given.

class Linear {
  // Initial weights as nn.Linear draws them.
  constructor(inputs, outputs, random) {
    Object.assign(this, { inputs, outputs });
    const bound = Math.sqrt(3) * (Math.sqrt(2 / (1 + Math.sqrt(5) ** 2)) / Math.sqrt(inputs));
    this.weight = new Parameter(outputs * inputs, () => random.uniform(bound));
    this.bias = new Parameter(outputs, () => random.uniform(1 / Math.sqrt(inputs)));
    this.parameters = [this.weight, this.bias];
    this.tensors = [this.weight.value, this.bias.value];
  }

  forward(x, n) {
    this.x = x;
    this.out = roomFor(n, this.outputs, this.out);
    this.out.forEach((row, j) => row.fill(this.bias.value[j], 0, n));
    addProduct(this.out, this.weight.value, this.inputs, 1, x, n);
    return this.out;
  }

  backward(gradient, n) {
    dotProducts(this.weight.gradient, gradient, this.x, n);
    gradient.forEach((row, j) => (this.bias.gradient[j] = sum(row, n)));
    if (this.first) return null;
    this.back = roomFor(n, this.inputs, this.back);
    for (const row of this.back) row.fill(0, 0, n);
    addProduct(this.back, this.weight.value, 1, this.inputs, gradient, n);
    return this.back;
  }
}

class Activation {
  constructor(units, name) {
    Object.assign(this, { units, name }, ACTIVATIONS[name]);
  }

  forward(x, n) {
    this.x = x;
    this.out = roomFor(n, this.units, this.out);
    for (let j = 0; j < this.units; j++) this.apply(x[j], this.out[j], n);
    return this.out;
  }

  backward(gradient, n) {
    for (let j = 0; j < this.units; j++) this.slope(this.x[j], this.out[j], gradient[j], n);
    return gradient;
  }
}

// An activation function from its value at x and its slope there, of which y is the value.
function elementwise(of, slopeAt) {
  return {
    apply(x, y, n) {
      for (let p = 0; p < n; p++) y[p] = of(x[p]);
    },
    slope(x, y, gradient, n) {
      for (let p = 0; p < n; p++) gradient[p] *= slopeAt(x[p], y[p]);
    },
  };
}

const ACTIVATIONS = {
  relu: elementwise(x => x * (x > 0), x => Number(x > 0)), // faster than x > 0 ? x : 0
  leaky_relu: elementwise(x => x * (0.01 + 0.99 * (x > 0)), x => 0.01 + 0.99 * (x > 0)),
  gelu: elementwise(x => x * normalCdf(x), x => normalCdf(x) + x * normalDensity(x)),
  tanh: elementwise(Math.tanh, (x, y) => 1 - y * y),
  sigmoid: elementwise(x => 1 / (1 + Math.exp(-x)), (x, y) => y * (1 - y)),
  step: elementwise(x => Number(x > 0), () => 0),
  identity: elementwise(x => x, () => 1),
};

// Each unit less its mean, divided by its standard deviation: of the batch while it trains, else of
// the running averages. Then times a weight and plus a bias that are learned.
class BatchNorm {
  constructor(units) {
    this.units = units;
    this.weight = new Parameter(units, () => 1);
    this.bias = new Parameter(units, () => 0);
    this.runningMean = new Float64Array(units);
    this.runningVar = new Float64Array(units).fill(1);
    this.scale = new Float64Array(units);
    this.parameters = [this.weight, this.bias];
    this.tensors = [this.weight.value, this.bias.value, this.runningMean, this.runningVar];
  }

  forward(x, n, training) {
    this.out = roomFor(n, this.units, this.out);
    this.normal = roomFor(n, this.units, this.normal);
    for (let j = 0; j < this.units; j++) {
      let mean = this.runningMean[j], variance = this.runningVar[j];
      if (training) {
        mean = sum(x[j], n) / n;
        variance = 0;
        for (let p = 0; p < n; p++) variance += (x[j][p] - mean) ** 2 / n;
        this.runningMean[j] += 0.1 * (mean - this.runningMean[j]);
        this.runningVar[j] += 0.1 * ((variance * n) / (n - 1) - this.runningVar[j]);
      }
      const scale = 1 / Math.sqrt(variance + 1e-5);
      const weight = this.weight.value[j], bias = this.bias.value[j];
      const from = x[j], normal = this.normal[j], out = this.out[j];
      for (let p = 0; p < n; p++) {
        normal[p] = (from[p] - mean) * scale;
        out[p] = weight * normal[p] + bias;
      }
      this.scale[j] = scale;
    }
    return this.out;
  }

  // The mean and the variance depend on each point as well.
  backward(gradient, n) {
    for (let j = 0; j < this.units; j++) {
      const row = gradient[j], normal = this.normal[j];
      this.weight.gradient[j] = dot(row, normal, n);
      this.bias.gradient[j] = sum(row, n);
      const slope = this.weight.gradient[j] / n, mean = this.bias.gradient[j] / n;
      const factor = this.weight.value[j] * this.scale[j];
      for (let p = 0; p < n; p++) row[p] = factor * (row[p] - mean - slope * normal[p]);
    }
    return gradient;
  }
}

// Zeroes units at random while it trains, and scales the others up to make up for it.
class Dropout {
  constructor(units, p, seed) {
    Object.assign(this, { units, p, random: new MersenneTwister(seed) });
  }

  forward(x, n, training) {
    if (!training) return x;
    this.out = roomFor(n, this.units, this.out);
    this.factor = roomFor(n, this.units, this.factor);
    const kept = 1 / (1 - this.p), limit = this.p * 2 ** 32;
    for (let j = 0; j < this.units; j++) {
      for (let p = 0; p < n; p++) {
        this.factor[j][p] = this.random.next() < limit ? 0 : kept;
        this.out[j][p] = x[j][p] * this.factor[j][p];
      }
    }
    return this.out;
  }

  backward(gradient, n) {
    for (let j = 0; j < this.units; j++) {
      for (let p = 0; p < n; p++) gradient[j][p] *= this.factor[j][p];
    }
    return gradient;
  }
}

class Parameter {
  constructor(size, initial) {
    this.value = Float64Array.from({ length: size }, initial);
    this.gradient = new Float64Array(size);
    this.velocity = new Float64Array(size); // SGD's momentum
  }
}
