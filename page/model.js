// The two networks, as in model.py. The linear one and the other have the same linear layers and,
// for one seed, the same initial weights; the only difference is the activation function.
//
// Values are kept in rows: a row holds one unit's value for each of n points. A layer takes the rows
// of the layer before and returns its own; backward takes the gradient of the loss with respect to
// its rows, stores the gradients of its parameters, and returns the gradient of what it was given.

function buildModel(settings, inFeatures, outFeatures) {
  const { hiddenUnits, activation, dropout, batchNorm, seed } = settings;
  const random = new MersenneTwister(seed);
  const layers = [];
  let width = inFeatures;
  for (const units of hiddenUnits) {
    layers.push(new Linear(width, units, random));
    if (batchNorm) layers.push(new BatchNorm(units));
    if (activation) layers.push(new Activation(units, activation));
    if (dropout) layers.push(new Dropout(units, dropout, new MersenneTwister(seed + layers.length)));
    width = units;
  }
  layers.push(new Linear(width, outFeatures, random));
  return new Sequential(layers);
}

class Sequential {
  constructor(layers) {
    this.layers = layers;
    this.parameters = layers.flatMap(layer => layer.parameters ?? []);
    this.tensors = layers.flatMap(layer => layer.tensors ?? []); // the parameters, and statistics
    layers[0].first = true; // nothing before it asks for a gradient
  }

  forward(x, n, training = false) {
    for (const layer of this.layers) x = layer.forward(x, n, training);
    return x;
  }

  backward(gradient, n) {
    for (let i = this.layers.length - 1; i >= 0; i--) {
      gradient = this.layers[i].backward(gradient, n);
    }
  }
}

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
  relu: elementwise(x => x * (x > 0), x => Number(x > 0)), // several times faster than x > 0 ? x : 0
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
  constructor(units, p, random) {
    Object.assign(this, { units, p, random });
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

// Rows for n points: those that are there already, if they are long enough.
function roomFor(n, units, rows) {
  if (rows && rows[0].length >= n) return rows;
  return Array.from({ length: units }, () => new Float64Array(n));
}

// Adds to each target j the rows, row i times weights[j * ofTarget + i * ofRow]. It takes two targets
// and four rows at a time, which is faster; those that there aren't have the weight 0.
function addProduct(targets, weights, ofTarget, ofRow, rows, n) {
  const weight = (j, i) =>
    (j < targets.length && i < rows.length ? weights[j * ofTarget + i * ofRow] : 0);
  for (let j = 0; j < targets.length; j += 2) {
    const one = targets[j], other = targets[j + 1] ?? one;
    for (let i = 0; i < rows.length; i += 4) {
      const a = rows[i], b = rows[i + 1] ?? a, c = rows[i + 2] ?? a, d = rows[i + 3] ?? a;
      const oneA = weight(j, i), otherA = weight(j + 1, i);
      const oneB = weight(j, i + 1), otherB = weight(j + 1, i + 1);
      const oneC = weight(j, i + 2), otherC = weight(j + 1, i + 2);
      const oneD = weight(j, i + 3), otherD = weight(j + 1, i + 3);
      for (let p = 0; p < n; p++) {
        const ap = a[p], bp = b[p], cp = c[p], dp = d[p];
        one[p] += oneA * ap + oneB * bp + oneC * cp + oneD * dp;
        other[p] += otherA * ap + otherB * bp + otherC * cp + otherD * dp;
      }
    }
  }
}

// Puts the dot product of each of the rows with each of the others in its place; four at a time.
function dotProducts(products, rows, others, n) {
  const width = others.length;
  for (let j = 0; j < rows.length; j += 2) {
    const a = rows[j], b = rows[j + 1] ?? a;
    for (let i = 0; i < width; i += 2) {
      const c = others[i], d = others[i + 1] ?? c;
      let ac = 0, ad = 0, bc = 0, bd = 0;
      for (let p = 0; p < n; p++) {
        const ap = a[p], bp = b[p], cp = c[p], dp = d[p];
        ac += ap * cp;
        ad += ap * dp;
        bc += bp * cp;
        bd += bp * dp;
      }
      products[j * width + i] = ac;
      if (i + 1 < width) products[j * width + i + 1] = ad;
      if (j + 1 < rows.length) products[(j + 1) * width + i] = bc;
      if (i + 1 < width && j + 1 < rows.length) products[(j + 1) * width + i + 1] = bd;
    }
  }
}

function dot(one, other, n) {
  let total = 0;
  for (let p = 0; p < n; p++) total += one[p] * other[p];
  return total;
}

function sum(row, n) {
  let total = 0;
  for (let p = 0; p < n; p++) total += row[p];
  return total;
}

const normalDensity = x => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);

// The probability that a normal number is below x, from a table with cubics in between.
function normalCdf(x) {
  if (!(Math.abs(x) < 8)) return x > 0 ? 1 : x < 0 ? 0 : NaN;
  const steps = 128, place = (x + 8) * steps, i = Math.floor(place), t = place - i;
  const low = NORMAL_CDF[i], high = NORMAL_CDF[i + 1];
  const slopeLow = NORMAL_DENSITY[i] / steps, slopeHigh = NORMAL_DENSITY[i + 1] / steps;
  const rise = high - low;
  return low + t * (slopeLow + t * (3 * rise - 2 * slopeLow - slopeHigh +
    t * (slopeLow + slopeHigh - 2 * rise)));
}

const NORMAL_DENSITY = Float64Array.from({ length: 16 * 128 + 2 }, (_, i) =>
  normalDensity(i / 128 - 8));
const NORMAL_CDF = new Float64Array(NORMAL_DENSITY.length);
for (let i = 1; i < NORMAL_CDF.length; i++) { // Simpson's rule from one place to the next
  const middle = normalDensity((i - 0.5) / 128 - 8);
  const three = NORMAL_DENSITY[i - 1] + 4 * middle + NORMAL_DENSITY[i];
  NORMAL_CDF[i] = NORMAL_CDF[i - 1] + three / (6 * 128);
}
