// A network on the page: a model, its training, its history, and what it makes of a grid.

class Network {
  constructor(name, settings, data) {
    Object.assign(this, { name, settings });
    const classes = data.classNames.length;
    this.model = buildModel(settings, settings.inputs.length, classes === 2 ? 1 : classes);
    this.history = { epoch: [], trainLoss: [], testLoss: [], trainAcc: [], testAcc: [] };
    this.looking = null; // the unit that is enlarged, { layer, unit }
    this.takeData(data);
    this.record();
  }

  // Trains and tests on these points from now on; the model stays as it is.
  takeData(data) {
    const epoch = this.training?.epoch ?? 0;
    this.data = data;
    this.train = { ...data.train, X: this.encode(data.train.X) };
    this.test = { ...data.test, X: this.encode(data.test.X) };
    this.training = new Training(this.model, this.train, this.settings);
    this.training.epoch = epoch;
    this.wrong = new Uint8Array(data.test.n);
    this.grid = null; // the inputs may be standardized otherwise
  }

  encode(X) {
    return inputRows(X, this.settings.inputs, this.data.standardize);
  }

  get title() {
    const { activation, hiddenUnits } = this.settings;
    return activation && hiddenUnits.length ? ACTIVATION_NAMES[activation] : "linear";
  }

  get epoch() {
    return this.training.epoch;
  }

  // Evaluates the model and adds to the history; every second entry goes when there are too many.
  record() {
    const { history, epoch } = this, nothing = { loss: NaN, accuracy: NaN };
    const train = this.train.n ? evaluate(this.model, this.train) : nothing;
    const test = this.test.n ? evaluate(this.model, this.test, this.wrong) : nothing;
    const lists = Object.values(history);
    if (history.epoch.at(-1) === epoch) {
      for (const list of lists) list.pop();
    } else if (history.epoch.length >= 1000) {
      for (const list of lists) {
        for (let i = 0; i < 500; i++) list[i] = list[2 * i];
        list.length = 500;
      }
    }
    const entry = [epoch, train.loss, test.loss, train.accuracy, test.accuracy];
    lists.forEach((list, i) => list.push(entry[i]));
    return Number.isFinite(train.loss) || this.train.n === 0;
  }

  get last() {
    const last = Object.entries(this.history).map(([key, list]) => [key, list.at(-1)]);
    return Object.fromEntries(last);
  }

  // Looks at the whole plane: the logits and what each hidden unit gives, on the points of a grid.
  look(grid) {
    if (this.grid !== grid) {
      this.grid = grid;
      this.gridX = this.encode(grid.X);
    }
    this.gridLogits = this.model.forward(this.gridX, grid.n);
    this.units = hiddenRows(this.model);
    this.largest = this.units.map(({ out }) => {
      let largest = 1e-12;
      for (const row of out) {
        for (let i = 0; i < grid.n; i += 7) { // some are enough for a scale
          const size = Math.abs(row[i]);
          if (size > largest) largest = size;
        }
      }
      return largest;
    });
  }

  // What the network says of one point: the likeliest class and its probability.
  ask(x1, x2) {
    const logits = this.model.forward(this.encode([[x1], [x2]]), 1);
    if (logits.length === 1) {
      const p = 1 / (1 + Math.exp(-logits[0][0]));
      return { label: p > 0.5 ? 1 : 0, probability: Math.max(p, 1 - p) };
    }
    const total = logits.reduce((sum, row) => sum + Math.exp(row[0] - logits[0][0]), 0);
    const label = predict(logits, 0);
    return { label, probability: Math.exp(logits[label][0] - logits[0][0]) / total };
  }

  linearLayers() {
    return this.model.layers.filter(layer => layer instanceof Linear);
  }
}

// For each hidden layer the rows before its activation function and after it.
function hiddenRows(model) {
  const rows = [];
  for (const layer of model.layers.slice(0, -1)) {
    const { out } = layer;
    if (layer instanceof Linear) rows.push({ pre: out, out });
    else if (layer instanceof BatchNorm) Object.assign(rows.at(-1), { pre: out, out });
    else if (layer instanceof Activation) rows.at(-1).out = out;
  }
  return rows;
}

// How many points a grid has on a side: fewer for a large network, so that it still answers.
function gridSide(networks) {
  const work = networks.reduce((most, { model }) =>
    Math.max(most, model.parameters.reduce((total, { value }) => total + value.length, 0)), 1);
  return 2 * Math.round(Math.max(34, Math.min(66, Math.sqrt(4e6 / work))) / 2);
}
