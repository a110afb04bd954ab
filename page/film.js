// A film: snapshots of a run of train.py, which may go on from any of them.

class Film {
  constructor(run) {
    this.run = run;
    this.running = false;
  }

  // Builds the networks, with what they were at each snapshot as their history.
  open() {
    const { run } = this;
    const { train, test } = run.data;
    app.data = run.data;
    app.table = { ...tableOf([...pointsOf(train), ...pointsOf(test)]), ...namesOf(run.data) };
    app.range = planeRange(app.data);
    const networks = run.models.map(({ name, settings, states }) => {
      const network = new Network(name, { ...app.settings, ...settings }, app.data);
      return Object.assign(network, { states: states.map(decodeFloats) });
    });
    for (const network of networks) {
      network.history = { epoch: [], trainLoss: [], testLoss: [], trainAcc: [], testAcc: [] };
      run.epochs.forEach((epoch, i) => {
        setState(network, network.states[i], epoch);
        network.record();
      });
      network.whole = network.history;
    }
    app.take(networks);
    byId("place").max = run.epochs.length - 1;
    byId("film").hidden = run.epochs.length < 2;
  }

  show(place) {
    const { epochs } = this.run;
    this.place = Math.max(0, Math.min(place, epochs.length - 1));
    for (const network of app.networks) {
      setState(network, network.states[this.place], epochs[this.place]);
      network.history = Object.fromEntries(Object.entries(network.whole).map(([key, list]) =>
        [key, list.slice(0, this.place)]));
      network.record();
    }
    byId("place").value = this.place;
    byId("place").ariaValueText = `epoch ${epochs[this.place]}`;
    app.changed = {};
    app.showAll();
  }

  play() {
    app.running = false;
    if (this.place === this.run.epochs.length - 1) this.show(0);
    this.running = true;
    showButtons();
    const next = () => {
      if (!this.running || app.film !== this) return;
      this.show(this.place + 1);
      if (this.place === this.run.epochs.length - 1) {
        this.running = false;
        showButtons();
        describe();
      } else {
        setTimeout(next, 100);
      }
    };
    setTimeout(next, 100);
  }
}

const namesOf = ({ classNames, featureNames }) => ({ classNames, featureNames });

function setState({ model, training }, numbers, epoch) {
  let start = 0;
  for (const tensor of model.tensors) {
    tensor.set(numbers.subarray(start, (start += tensor.length)));
  }
  for (const { velocity } of model.parameters) velocity.fill(0);
  training.epoch = epoch;
}

function decodeFloats(text) {
  const bytes = Uint8Array.from(atob(text), character => character.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

function readRun(text) {
  const run = JSON.parse(text);
  const part = ({ X, y }) => {
    const numbers = decodeFloats(X), n = y.length;
    const rows = [0, 1].map(i => Float64Array.from(y, (_, p) => numbers[2 * p + i]));
    return { X: rows, y: Int32Array.from(y), n };
  };
  run.data = { ...run.data, train: part(run.data.train), test: part(run.data.test) };
  return run;
}
