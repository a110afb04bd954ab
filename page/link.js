// The state as a link, as a command for train.py, and as PyTorch code.

const MAX_POINTS_IN_LINK = 500;

const optionNames = Object.fromEntries([
  ...Object.entries({ ...NUMBERS, ...CHOICES }).map(([name, { option }]) => [option, name]),
  ["inputs", "inputs"], ["hidden_units", "hiddenUnits"], ["batch_norm", "batchNorm"],
]);

// What goes behind the # of a link: the settings that aren't defaults, the epoch, the points.
function writeLink({ settings, epoch, table, hide = [] }) {
  const parts = [], base = withDataset(DEFAULTS, settings.data);
  for (const [option, name] of Object.entries(optionNames)) {
    const value = settings[name];
    if (String(value) === String((name === "data" ? DEFAULTS : base)[name])) continue;
    parts.push([option, linkText(name, value)]);
  }
  if (settings.data === "own") {
    if (table.y.length > MAX_POINTS_IN_LINK) return null;
    parts.push(["class_names", table.classNames.map(encodeURIComponent).join(",")]);
    if (table.featureNames) {
      parts.push(["features", table.featureNames.map(encodeURIComponent).join(",")]);
    }
    parts.push(["points", Array.from(table.y, (label, p) =>
      [shortest(table.X[0][p]), shortest(table.X[1][p]), label].join(",")).join(";")]);
  }
  if (epoch) parts.push(["epoch", epoch]);
  if (hide.length) parts.push(["hide", hide.join(",")]);
  return parts.map(part => part.join("=")).join("&");
}

function linkText(name, value) {
  if (name === "hiddenUnits") return value.join("x") || "none";
  if (name === "inputs") return value.map(input => input.replace(" ", "_")).join(",");
  return shownNumber(value);
}

// The state of a link, and a sentence on what in it can't be.
function readLink(hash) {
  const given = Object.fromEntries(hash.replace(/^#/, "").split("&").filter(Boolean).map(part => {
    const [option, ...value] = part.split("=");
    return [option, value.join("=")];
  }));
  const wrong = [];
  const data = given.data in DATASETS ? given.data : "circles";
  if (given.data && data !== given.data) wrong.push(wrongSetting("data", given.data));
  let settings = withDataset(DEFAULTS, data);
  for (const [option, text] of Object.entries(given)) {
    const name = optionNames[option];
    if (!name || name === "data") continue;
    const value = readOption(name, text);
    const sentence = wrongSetting(name, value, settings);
    if (sentence) wrong.push(sentence);
    else if (!NUMBERS[name]?.ofData || name in DATASETS[data]) settings[name] = value;
  }
  const hide = (given.hide ?? "").split(",").filter(Boolean);
  const isEmpty = Object.keys(given).every(option => option === "hide");
  const state = { settings, epoch: 0, table: null, hide, isEmpty };
  if (whole(0, 100_000)(Number(given.epoch))) state.epoch = Number(given.epoch);
  else if (given.epoch) wrong.push("The epoch must be a whole number from 0 to 100,000.");
  if (data === "own") {
    try {
      state.table = readPoints(given);
    } catch {
      wrong.push("The link's points can't be read.");
      state.table = emptyTable();
    }
  }
  return { ...state, wrong: wrong.join(" ") };
}

function readOption(name, text) {
  if (name === "hiddenUnits") return text === "none" ? [] : text.split("x").map(Number);
  if (name === "inputs") return text.split(",").map(input => input.replace("_", " "));
  if (name === "batchNorm") return text === "true";
  return NUMBERS[name] ? readNumber(text) : text;
}

function readPoints({ points, class_names: names, features }) {
  const classNames = (names ?? "class 0,class 1").split(",").map(decodeURIComponent);
  const rows = (points ?? "").split(";").filter(Boolean).map(row => row.split(",").map(Number));
  const isPoint = ([x1, x2, label]) =>
    Number.isFinite(x1) && Number.isFinite(x2) && classNames[label] !== undefined;
  if (!rows.every(isPoint)) throw new DataError("no points");
  return {
    ...tableOf(rows),
    classNames,
    featureNames: features ? features.split(",").map(decodeURIComponent) : null,
  };
}

const emptyTable = () =>
  ({ ...tableOf([]), classNames: ["class 0", "class 1"], featureNames: null });

// The fewest digits that give the same number as float32.
function shortest(value) {
  for (let digits = 1; digits < 9; digits++) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return String(text);
  }
  return String(value);
}

// The command that trains the same networks, and a sentence on what it can't do.
function writeCommand({ settings, epoch, file }) {
  const words = ["python", "train.py"], base = withDataset(DEFAULTS, settings.data);
  if (settings.data === "own") words.push("--data", file ?? "points.csv");
  else if (settings.data !== "circles") words.push("--data", settings.data);
  const own = ["epochsPerFrame", "l1", "show", "inputs", "data"]; // the page's, not train.py's
  for (const [option, name] of Object.entries(optionNames)) {
    const value = settings[name];
    if (own.includes(name) || String(value) === String(base[name])) continue;
    const flag = `--${option.replace("_", "-")}`;
    if (name === "batchNorm") words.push(flag);
    else if (name === "hiddenUnits") words.push(flag, value.join("x") + (value[1] ? "" : "x"));
    else words.push(flag, shownNumber(value));
  }
  const epochs = DATASETS[settings.data].hiddenUnits ? 600 : 300; // train.py's own
  if (epoch && epoch !== epochs) words.push("--epochs", epoch);
  const without = [
    settings.inputs.join() !== "x1,x2" && "other inputs than x1 and x2",
    settings.l1 > 0 && "an L1 penalty",
    settings.hiddenUnits.length === 0 && "a network without hidden layers",
  ].filter(Boolean);
  if (without.length) return { command: "", note: `train.py has no ${without.join(" and no ")}.` };
  return { command: words.join(" "), note: "" };
}

const OWN_LAYERS = {
  standardize: `class Standardize(nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x):
        return (x - self.mean) / self.std
`,
  step: `class Step(nn.Module):
    def forward(self, x):
        return (x > 0).to(x.dtype)
`,
  inputs: columns => `class Inputs(nn.Module):
    def forward(self, x):
        x1, x2 = x.unbind(dim=-1)
        return torch.stack([${columns.join(", ")}], dim=-1)
`,
};

const INPUT_CODE = {
  x1: "x1", x2: "x2", "x1^2": "x1**2", "x2^2": "x2**2", "x1 x2": "x1 * x2",
  "sin x1": "torch.sin(torch.pi * x1)", "sin x2": "torch.sin(torch.pi * x2)",
};

const LAYER_CODE = {
  relu: "nn.ReLU()", leaky_relu: "nn.LeakyReLU()", gelu: "nn.GELU()", tanh: "nn.Tanh()",
  sigmoid: "nn.Sigmoid()", step: "Step()", identity: "nn.Identity()",
};

// The network, its loss, its optimizer and its training as code that needs torch alone.
function writeCode({ settings, epoch, standardize, classes }) {
  const { hiddenUnits, inputs, activation, dropout, batchNorm, batchSize, l1 } = settings;
  const own = [], layers = [], numbers = values => `[${values.join(", ")}]`;
  if (standardize) {
    own.push(OWN_LAYERS.standardize);
    layers.push(`Standardize(${numbers(standardize.mean)}, ${numbers(standardize.std)})`);
  }
  if (inputs.join() !== "x1,x2") {
    own.push(OWN_LAYERS.inputs(inputs.map(input => INPUT_CODE[input])));
    layers.push("Inputs()");
  }
  if (activation === "step") own.push(OWN_LAYERS.step);
  let width = inputs.length;
  for (const units of hiddenUnits) {
    layers.push(`nn.Linear(${width}, ${units})`);
    if (batchNorm) layers.push(`nn.BatchNorm1d(${units})`);
    layers.push(LAYER_CODE[activation]);
    if (dropout) layers.push(`nn.Dropout(${dropout})`);
    width = units;
  }
  layers.push(`nn.Linear(${width}, ${classes === 2 ? 1 : classes})`);
  const penalty = l1 ? ` + ${l1} * sum(p.abs().sum() for p in model.parameters())` : "";
  const step = (X, y, indent) => [
    `loss = loss_fn(model(${X}), ${y})${penalty}`,
    "optimizer.zero_grad()",
    "loss.backward()",
    "optimizer.step()",
  ].map(line => " ".repeat(indent) + line);
  const loop = batchSize === null ? step("X", "y", 8) : [
    "        order = torch.randperm(len(X), generator=random)",
    `        for batch in order.tensor_split(-(-len(X) // ${batchSize})):`,
    ...step("X[batch]", "y[batch]", 12),
  ];
  return [
    "import torch",
    "from torch import nn",
    "",
    ...own.map(source => `\n${source}`),
    ...(own.length ? [""] : []),
    `torch.manual_seed(${settings.seed})`,
    "model = nn.Sequential(",
    ...layers.map(layer => `    ${layer},`),
    ")",
    `loss_fn = nn.${classes === 2 ? "BCEWithLogitsLoss" : "CrossEntropyLoss"}()`,
    "optimizer = torch.optim.SGD(",
    `    model.parameters(), lr=${settings.lr}, momentum=${settings.momentum}, ` +
      `weight_decay=${settings.weightDecay}`,
    ")",
    "",
    "",
    `def train(X, y, epochs=${epoch || 300}):`,
    classes === 2
      ? '    """Train on points X (n, 2) and labels y (n, 1) of 0.0 and 1.0."""'
      : `    """Train on points X (n, 2) and labels y (n,) from 0 to ${classes - 1}."""`,
    ...(batchSize === null ? [] : [`    random = torch.Generator().manual_seed(${settings.seed})`]),
    "    model.train()",
    "    for _ in range(epochs):",
    ...loop,
    "",
  ].join("\n");
}
