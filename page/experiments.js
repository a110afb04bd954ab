// Experiments: settings that show something, and one sentence each on why they work or fail.

const NOISY = { samples: 300, testSize: 0.8, noise: 0.2, factor: 0.5, hiddenUnits: [64, 64] };

const EXPERIMENTS = [
  {
    name: "Two circles",
    why: "Linear layers alone can only draw a straight line; with ReLU the same layers learn a" +
      " ring.",
  },
  {
    name: "Five linear layers",
    settings: { activation: "identity", hiddenUnits: [16, 16, 16, 16, 16], show: "one" },
    why: "Five layers with nothing between them multiply out to a single one: depth alone is " +
      "still a line.",
  },
  {
    name: "One unit",
    settings: { hiddenUnits: [1], seed: 3, show: "one" },
    why: "A single ReLU is flat on one side of its kink and rises on the other, so the " +
      "boundary is a straight line again.",
  },
  {
    name: "Three units",
    settings: { hiddenUnits: [3], show: "one" },
    why: "Three kinks are the fewest that can enclose anything: give this triangle 1,000 " +
      "epochs.",
  },
  {
    name: "Spirals",
    settings: { data: "spirals" },
    why: "The more a boundary has to wind, the more kinks it takes: here 32 units in each " +
      "layer.",
  },
  {
    name: "The bent plane",
    settings: { hiddenUnits: [16, 2], activation: "tanh" },
    why: "The last hidden layer has two units, so its view can be drawn (below): the plane is " +
      "bent until one line parts the circles.",
  },
  {
    name: "Three classes",
    settings: { data: "spirals", classes: 3, samples: 1500 },
    why: "With three classes the network has an output for each, and the boundary is where two" +
      " of them are level.",
  },
  {
    name: "Squares as inputs",
    settings: { inputs: ["x1", "x2", "x1^2", "x2^2"] },
    why: "Bend the plane by hand, and even the linear network draws a ring: a circle is a line" +
      " in x₁² and x₂².",
  },
  {
    name: "A sigmoid that doesn't move",
    settings: { activation: "sigmoid", show: "one" },
    why: "A sigmoid's slope is 0.25 at most, so little gradient reaches the first layer; a " +
      "learning rate of 1 gets it going within 1,000 epochs.",
  },
  {
    name: "A step without slope",
    settings: { activation: "step", show: "one" },
    why: "A step's slope is 0 everywhere, so no gradient reaches the layers before it: only " +
      "the output layer learns.",
  },
  {
    name: "Dead ReLUs",
    settings: { lr: 1, show: "one" },
    why: "Too large a step pushes units below 0 at every point, where ReLU has no slope: they " +
      "stay off, unless the layer before them changes.",
  },
  {
    name: "Learning rate too high",
    settings: { lr: 3, activation: "tanh", show: "one" },
    why: "Each step overshoots, so the loss jumps up and down instead of falling.",
  },
  {
    name: "Too deep",
    settings: { hiddenUnits: [16, 16, 16, 16, 16, 16, 16, 16], show: "one" },
    why: "The gradient fades on its way through eight layers, and training doesn't take off; " +
      "batch norm fixes it.",
  },
  {
    name: "Noise by heart",
    settings: { ...NOISY, show: "one" },
    why: "60 noisy points and 4,417 parameters: the network memorises the noise, and over " +
      "1,000 epochs the loss on the test points rises.",
  },
  {
    name: "Dropout against it",
    settings: { ...NOISY, dropout: 0.5, show: "one" },
    why: "With half of the units zeroed at random in each step it memorises far less, and the " +
      "two losses stay closer together.",
  },
];

// An experiment's settings; others are the defaults, but for what only paces the pictures.
function experimentSettings({ settings = {} }, { epochsPerFrame }) {
  return { ...withDataset(DEFAULTS, settings.data ?? "circles"), epochsPerFrame, ...settings };
}

function isExperiment(experiment, settings) {
  const wanted = Object.entries(experimentSettings(experiment, settings));
  return wanted.every(([name, value]) => String(value) === String(settings[name]));
}
