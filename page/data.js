// The points, as support/datasets.py makes and train.py splits them.
//
// A table is { X, y, classNames, featureNames }: two rows of coordinates, the numbers of classes.

// The settings of each data set, with their defaults, and what training needs otherwise.
const DATASETS = {
  circles: { samples: 1000, noise: 0.03, factor: 0.8 },
  moons: { samples: 1000, noise: 0.1 },
  xor: { samples: 1000, noise: 0.3 },
  gaussians: { samples: 1000, noise: 0.4 },
  spirals: { samples: 1000, noise: 0.03, classes: 2, hiddenUnits: [32, 32] },
  blobs: { samples: 1000, noise: 0.25, classes: 3 },
  own: {},
};

// Points on a curve for each class, shuffled, with noise added: scikit-learn's make_circles and
// make_moons.
function onTwoCurves(curves, { samples, noise, seed }) {
  const random = new MersenneTwister(seed), counts = [samples >> 1, samples - (samples >> 1)];
  const points = [];
  curves.forEach((curve, label) => {
    for (let i = 0; i < counts[label]; i++) points.push([...curve(i, counts[label]), label]);
  });
  random.shuffle(points);
  if (noise > 0) {
    for (const point of points) {
      point[0] += noise * random.normal();
      point[1] += noise * random.normal();
    }
  }
  return points;
}

function aroundCenters(centers, { samples, noise, seed }) {
  const random = new MersenneTwister(seed), points = [];
  centers.forEach(([x1, x2], label) => {
    const extra = label < samples % centers.length ? 1 : 0;
    for (let i = 0; i < Math.floor(samples / centers.length) + extra; i++) {
      points.push([x1 + noise * random.normal(), x2 + noise * random.normal(), label]);
    }
  });
  return random.shuffle(points);
}

const MAKERS = {
  // Two circles around the origin: radius 1 (class 0), and radius `factor` (class 1).
  circles(settings) {
    const circle = radius => (i, count) => {
      const angle = ((2 * Math.PI) / count) * i;
      return [radius * Math.cos(angle), radius * Math.sin(angle)];
    };
    return onTwoCurves([circle(1), circle(settings.factor)], settings);
  },

  // Two half circles of radius 1 that reach into each other.
  moons(settings) {
    const angle = (i, count) => (i === count - 1 ? Math.PI : (Math.PI / (count - 1)) * i);
    return onTwoCurves([
      (i, count) => [Math.cos(angle(i, count)), Math.sin(angle(i, count))],
      (i, count) => [1 - Math.cos(angle(i, count)), 1 - Math.sin(angle(i, count)) - 0.5],
    ], settings);
  },

  // Four Gaussians at the corners of a square; those across from each other are of one class.
  xor(settings) {
    const points = aroundCenters([[1, 1], [-1, -1], [1, -1], [-1, 1]], settings);
    return points.map(([x1, x2, corner]) => [x1, x2, corner >> 1]);
  },

  // Two Gaussians: a line is the best boundary there is.
  gaussians(settings) {
    return MAKERS.blobs({ ...settings, classes: 2 });
  },

  // A Gaussian for each class, with the centers evenly on a circle of radius 1.
  blobs(settings) {
    const { classes } = settings;
    const centers = Array.from({ length: classes }, (_, k) => {
      const angle = 2 * Math.PI * (k / classes + 1 / 8);
      return [Math.cos(angle), Math.sin(angle)];
    });
    return aroundCenters(centers, settings);
  },

  // An arm for each class, which winds 1.25 times from the radius 0.15 out to 1.
  spirals({ samples, noise, classes, seed }) {
    const random = new Pcg64(seed);
    const radii = Array.from({ length: samples }, () => 0.15 + 0.85 * random.random());
    return radii.map((radius, i) => {
      const angle = 2 * Math.PI * (1.25 * radius + (i % classes) / classes);
      const x1 = radius * Math.cos(angle) + noise * random.normal();
      return [x1, radius * Math.sin(angle) + noise * random.normal(), i % classes];
    });
  },
};

function makeTable(settings) {
  const points = MAKERS[settings.data](settings);
  const classes = settings.classes ?? 2;
  return {
    ...tableOf(points),
    classNames: Array.from({ length: classes }, (_, k) => `class ${k}`),
    featureNames: null,
  };
}

const tableOf = points => ({
  X: [0, 1].map(i => Float64Array.from(points, point => Math.fround(point[i]))), // as float32
  y: Int32Array.from(points, point => point[2]),
});

// Splits a table as scikit-learn's train_test_split does with stratify=y: the classes keep their
// shares. Where there are too few points to split, all of them train.
function split(table, testSize, seed) {
  const n = table.y.length, classes = table.classNames.length;
  const members = Array.from({ length: classes }, () => []);
  table.y.forEach((label, p) => members[label].push(p));
  const counts = members.map(points => points.length), testCount = Math.ceil(n * testSize);
  if (Math.min(...counts) < 2 || Math.min(testCount, n - testCount) < classes) {
    return { train: partOf(table, [...table.y.keys()]), test: partOf(table, []) };
  }
  const random = new MersenneTwister(seed);
  const ofTrain = shareOut(counts, n - testCount, random);
  const left = counts.map((count, k) => count - ofTrain[k]);
  const ofTest = shareOut(left, testCount, random);
  const train = [], test = [];
  members.forEach((points, k) => {
    const order = random.shuffle([...points.keys()]).map(i => points[i]);
    train.push(...order.slice(0, ofTrain[k]));
    test.push(...order.slice(ofTrain[k], ofTrain[k] + ofTest[k]));
  });
  return { train: partOf(table, random.shuffle(train)), test: partOf(table, random.shuffle(test)) };
}

// How many of each class to draw, in proportion to the counts; ties are broken at random.
function shareOut(counts, draws, random) {
  const total = counts.reduce((a, b) => a + b);
  const exact = counts.map(count => (count / total) * draws);
  const shares = exact.map(Math.floor);
  let missing = draws - shares.reduce((a, b) => a + b);
  const remainders = exact.map((value, k) => value - shares[k]);
  for (const value of [...new Set(remainders)].sort((a, b) => b - a)) {
    if (missing === 0) break;
    const tied = [...remainders.keys()].filter(k => remainders[k] === value);
    const order = random.shuffle([...tied.keys()]);
    for (const i of order.slice(0, missing)) shares[tied[i]]++;
    missing -= Math.min(missing, tied.length);
  }
  return shares;
}

const partOf = (table, points) => ({
  X: table.X.map(row => Float64Array.from(points, p => row[p])),
  y: Int32Array.from(points, p => table.y[p]),
  n: points.length,
});

// A file's columns are standardized with the mean and standard deviation of the training points.
function meanAndStd(part) {
  const mean = part.X.map(row => sum(row, part.n) / part.n);
  const std = part.X.map((row, i) => {
    const square = row.reduce((total, value) => total + (value - mean[i]) ** 2, 0);
    return Math.sqrt(square / part.n) || 1; // one point, or all alike
  });
  return { mean: mean.map(Math.fround), std: std.map(Math.fround) };
}

// The inputs of a network besides x1 and x2.
const INPUTS = {
  x1: (x1, x2) => x1,
  x2: (x1, x2) => x2,
  "x1^2": (x1, x2) => x1 * x1,
  "x2^2": (x1, x2) => x2 * x2,
  "x1 x2": (x1, x2) => x1 * x2,
  "sin x1": (x1, x2) => Math.sin(Math.PI * x1),
  "sin x2": (x1, x2) => Math.sin(Math.PI * x2),
};

// Rows of a network's inputs for rows of coordinates.
function inputRows([first, second], inputs, standardize) {
  const { mean, std } = standardize ?? { mean: [0, 0], std: [1, 1] };
  return inputs.map(name => Float64Array.from(first, (_, p) =>
    INPUTS[name]((first[p] - mean[0]) / std[0], (second[p] - mean[1]) / std[1])));
}
