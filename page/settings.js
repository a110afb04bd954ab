// The settings: their names on the page, the values that a slider offers, the rule for the rest.

const ACTIVATION_NAMES = {
  relu: "ReLU",
  leaky_relu: "leaky ReLU",
  gelu: "GELU",
  tanh: "tanh",
  sigmoid: "sigmoid",
  step: "step",
  identity: "identity (linear)",
};

const DATA_NAMES = {
  circles: "circles",
  moons: "moons",
  xor: "xor",
  gaussians: "gaussians",
  spirals: "spirals",
  blobs: "blobs",
  own: "your own points",
};

const DEFAULTS = {
  data: "circles",
  ...DATASETS.circles,
  classes: null,
  testSize: 0.2,
  seed: 42,
  inputs: ["x1", "x2"],
  hiddenUnits: [16, 16],
  activation: "relu",
  dropout: 0,
  batchNorm: false,
  lr: 0.1,
  momentum: 0.9,
  weightDecay: 0,
  l1: 0,
  batchSize: null,
  epochsPerFrame: 5,
  show: "both",
};

const between = (low, high) => value => value >= low && value <= high;
const below = (low, high) => value => value >= low && value < high;
const whole = (low, high) => value => Number.isInteger(value) && value >= low && value <= high;

// option: what the command line and the link call it. live: training goes on with another value.
const NUMBERS = {
  samples: {
    label: "samples", option: "samples", group: "data", ofData: true,
    usual: [100, 200, 300, 500, 1000, 2000, 5000],
    rule: "a whole number from 10 to 20,000", test: whole(10, 20_000),
  },
  noise: {
    label: "noise", option: "noise", group: "data", ofData: true,
    usual: [0, 0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 1],
    rule: "a number from 0 to 100", test: between(0, 100),
  },
  factor: {
    label: "inner radius", option: "factor", group: "data", ofData: true,
    usual: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
    rule: "a number from 0 to below 1", test: below(0, 1),
  },
  classes: {
    label: "classes", option: "classes", group: "data", ofData: true,
    usual: [2, 3, 4, 5, 6, 7], rule: "a whole number from 2 to 7", test: whole(2, 7),
  },
  testSize: {
    label: "test share", option: "test_size", group: "data",
    usual: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
    rule: "a number above 0 and below 1", test: value => value > 0 && value < 1,
  },
  seed: {
    label: "seed", option: "seed", group: "data", usual: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 42],
    rule: "a whole number from 0 to 4,294,967,295", test: whole(0, 2 ** 32 - 1),
  },
  dropout: {
    label: "dropout", option: "dropout", group: "network",
    usual: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8],
    rule: "a number from 0 to below 1", test: below(0, 1),
  },
  lr: {
    label: "learning rate", option: "lr", group: "training", live: true,
    usual: [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
    rule: "a number above 0", test: value => value > 0 && value < Infinity,
  },
  momentum: {
    label: "momentum", option: "momentum", group: "training", live: true,
    usual: [0, 0.5, 0.8, 0.9, 0.95, 0.99], rule: "a number from 0 to below 1", test: below(0, 1),
  },
  weightDecay: {
    label: "weight decay", option: "weight_decay", group: "training", live: true,
    usual: [0, 0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1],
    rule: "a number from 0", test: below(0, Infinity),
  },
  l1: {
    label: "L1", option: "l1", group: "training", live: true,
    usual: [0, 0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1],
    rule: "a number from 0", test: below(0, Infinity),
  },
  batchSize: {
    label: "batch size", option: "batch_size", group: "training",
    usual: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, null],
    rule: 'a whole number from 1, or "all"',
    test: value => value === null || whole(1, 10 ** 9)(value),
  },
  epochsPerFrame: {
    label: "epochs per frame", option: "epochs_per_frame", group: "training", live: true,
    usual: [1, 2, 5, 10, 20, 50, 100],
    rule: "a whole number from 1 to 1,000", test: whole(1, 1000),
  },
};

const CHOICES = {
  data: { option: "data", values: Object.keys(DATASETS) },
  activation: { option: "activation", values: Object.keys(ACTIVATIONS) },
  show: { option: "show", values: ["both", "one"] },
};

const MAX_LAYERS = 12, MAX_WIDTH = 512;

const shownNumber = value => (value === null ? "all" : String(value));

function readNumber(text) {
  const trimmed = text.trim().toLowerCase();
  if (trimmed === "all") return null;
  return trimmed === "" ? NaN : Number(trimmed);
}

// A sentence on what is wrong with a setting, or null.
function wrongSetting(name, value, settings) {
  const rule = NUMBERS[name];
  if (rule && !(value === null ? name === "batchSize" : rule.test(value))) {
    return `The ${rule.label} must be ${rule.rule}.`;
  }
  if (CHOICES[name] && !CHOICES[name].values.includes(value)) {
    return `The ${name} must be one of ${CHOICES[name].values.join(", ")}.`;
  }
  const isWidth = whole(1, MAX_WIDTH);
  if (name === "hiddenUnits" && !(value.length <= MAX_LAYERS && value.every(isWidth))) {
    return `There can be up to ${MAX_LAYERS} hidden layers of 1 to ${MAX_WIDTH} units.`;
  }
  if (name === "inputs" && !(value.length && value.every(input => input in INPUTS))) {
    return "A network needs at least one input.";
  }
  const all = { ...settings, [name]: value };
  if (all.batchNorm && (all.batchSize ?? 3) < 3) {
    return "With batch norm the batch size must be 3 or more: a batch of one has no variance.";
  }
  if (["samples", "testSize", "classes"].includes(name) && all.samples && all.data !== "own") {
    const test = Math.ceil(all.samples * all.testSize), classes = all.classes ?? 2;
    if (Math.min(test, all.samples - test) < classes) {
      return `The test share must leave at least ${classes} of the ${all.samples} points on ` +
        "either side.";
    }
  }
  return null;
}

// The settings with another data set and all that goes with it: its noise, and its layers as well.
function withDataset(settings, data) {
  const none = { samples: null, noise: null, factor: null, classes: null };
  const layers = DATASETS[data].hiddenUnits ?? DATASETS[settings.data].hiddenUnits;
  const back = layers ? { hiddenUnits: DEFAULTS.hiddenUnits } : {};
  return { ...settings, ...none, ...back, ...DATASETS[data], data };
}

const ofLinear = settings => ({ ...settings, activation: null, dropout: 0, batchNorm: false });
