// The page: its state, what the controls do to it, and the loop that trains and draws.

const FRAME = 24; // milliseconds of training in a frame at most, so that the page answers

const app = {
  settings: { ...DEFAULTS },
  table: null, // all points
  data: null, // the same in two parts, with names and how they are standardized
  networks: [],
  shadows: [], // the histories of the run before
  shown: { train: true, test: true },
  tool: "look",
  cursor: null,
  running: false,
  target: null, // the epoch to stop at
  changed: {}, // settings that had another value earlier in this training
  hide: [],
  film: null,
  frames: 0, // pictures so far

  // The data and the networks

  makeData() {
    const { settings } = this;
    if (settings.data !== "own") this.table = makeTable(settings);
    this.data = this.splitTable();
    this.range = planeRange(this.data);
  },

  splitTable() {
    const { table, settings: { data, testSize, seed } } = this;
    const parts = split(table, testSize, seed), { classNames, featureNames } = table;
    const standardize = data === "own" && parts.train.n ? meanAndStd(parts.train) : null;
    return { ...parts, classNames, featureNames, standardize };
  },

  // Begins again at epoch 0 with the present settings.
  restart({ keepData = false } = {}) {
    if (this.networks.some(network => network.epoch > 0)) {
      this.shadows = this.networks.map(({ name, history }) => ({ name, history }));
    }
    if (!keepData) this.makeData();
    const { settings } = this;
    const bent = new Network("bent", { ...settings }, this.data);
    const linear = settings.show === "both" && new Network("linear", ofLinear(settings), this.data);
    this.take(linear ? [linear, bent] : [bent]);
  },

  take(networks) {
    this.networks = networks;
    this.changed = {};
    this.target = null;
    this.grid = new Grid(gridSide(networks), this.range);
    this.best = bestPossibleAccuracy(this.settings);
    makePictures();
    this.showAll();
  },

  // Takes another table of points: as they are edited, or a file's.
  takeTable(table, isEdit) {
    const sameOutputs = table.classNames.length === this.table.classNames.length;
    const wasOwn = this.settings.data === "own";
    this.leaveFilm();
    showMessage("");
    showExperiment(null);
    this.settings = { ...withDataset(this.settings, "own"), hiddenUnits: this.settings.hiddenUnits };
    this.table = table;
    if (!isEdit) {
      this.restart();
    } else if (!sameOutputs || !wasOwn) {
      this.data = this.splitTable();
      this.restart({ keepData: true });
    } else {
      this.data = this.splitTable();
      for (const network of this.networks) {
        network.takeData(this.data);
        network.record();
      }
      if (this.epoch > 0) this.changed.points = true;
      for (const { plane } of pictures) plane.stale = true;
      this.showAll();
    }
    showControls(this.settings);
  },

  // What the controls do

  // Changes a setting; returns a sentence if it can't be, and then all stays as it was.
  change(name, value) {
    const wrong = wrongSetting(name, value, this.settings);
    showMessage(wrong ?? "");
    if (wrong) return wrong;
    if (name === "epochsPerFrame") {
      this.settings[name] = value;
    } else if (NUMBERS[name]?.live) {
      if (this.epoch > 0 && !(name in this.changed)) this.changed[name] = this.settings[name];
      this.settings[name] = value;
      for (const { training } of this.networks) training.settings[name] = value;
      if (this.changed[name] === value) delete this.changed[name];
    } else {
      const isOfData = name === "data" || NUMBERS[name]?.group === "data";
      this.leaveFilm(isOfData);
      if (name === "data" && value === "own") {
        this.takeTable(this.table, true);
        setTool(0);
        return null;
      }
      this.settings = name === "data" ? withDataset(this.settings, value)
        : { ...this.settings, [name]: value };
      this.restart({ keepData: !isOfData });
    }
    showControls(this.settings);
    if (!NUMBERS[name]?.live) showExperiment(null);
    this.showTexts();
    return null;
  },

  takeExperiment(number) {
    const { settings = {} } = EXPERIMENTS[number];
    this.leaveFilm(true);
    this.pause();
    const base = withDataset({ ...DEFAULTS, epochsPerFrame: this.settings.epochsPerFrame }, settings.data ?? "circles");
    this.settings = { ...base, ...settings };
    this.shadows = [];
    this.restart();
    this.shadows = [];
    showMessage("");
    showControls(this.settings);
    showExperiment(number);
    this.showAll();
  },

  get epoch() {
    return this.networks[0]?.epoch ?? 0;
  },

  train(target = null) {
    if (this.data.train.n === 0) {
      showMessage("There are no points to train on: add some by a click in the plane.");
      return;
    }
    this.stopFilm();
    this.target = target;
    this.running = true;
    showMessage("");
    this.showButtons();
    requestAnimationFrame(() => this.frame());
  },

  pause() {
    this.running = false;
    this.draw();
    this.showTexts();
    this.showButtons();
    this.describe();
  },

  step() {
    this.stopFilm();
    if (this.data.train.n === 0) return;
    this.trainEpochs(1, Infinity);
    this.showAll();
    this.describe();
  },

  reset() {
    if (this.film) {
      this.film.running = false;
      this.pause();
      this.film.show(0);
      return;
    }
    showMessage("");
    this.restart({ keepData: true });
    for (const { plane } of pictures) plane.stale = true;
  },

  trainEpochs(epochs, milliseconds) {
    const start = performance.now();
    do {
      for (const { training } of this.networks) training.trainEpoch();
    } while (--epochs > 0 && this.epoch !== this.target && performance.now() - start < milliseconds);
    const finite = this.networks.map(network => network.record());
    if (!finite.every(Boolean)) {
      this.running = false;
      showMessage(`The loss is no longer finite at epoch ${this.epoch}. Try a smaller learning ` +
        "rate, momentum or weight decay, and press Reset.");
    }
  },

  frame() {
    if (!this.running) return;
    const toTarget = this.target !== null;
    const epochs = toTarget ? Math.ceil(this.target / 50) : this.settings.epochsPerFrame;
    this.trainEpochs(epochs, toTarget ? 4 * FRAME : FRAME);
    if (this.epoch === this.target) this.running = false;
    this.drawNow();
    this.showFigures();
    if (!this.running) this.pause();
    else if (stillness.matches) setTimeout(() => this.frame(), 500); // few pictures, if so wished
    else requestAnimationFrame(() => this.frame());
  },

  lookAtUnit(network, node) {
    const isUnit = node && node.layer >= 0 && node.layer < network.settings.hiddenUnits.length;
    const { looking } = network;
    const same = isUnit && looking?.layer === node.layer && looking.unit === node.unit;
    network.looking = isUnit && !same ? { layer: node.layer, unit: node.unit } : null;
    this.showFigures();
    this.draw();
  },

  // The film

  stopFilm() {
    if (this.film) this.film.running = false;
    this.showButtons();
  },

  leaveFilm() {
    if (!this.film) return;
    this.film.running = false;
    this.film = null;
    byId("film").hidden = true;
  },

  // Showing

  draw() {
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => this.drawNow());
  },

  drawNow() {
    this.drawing = false;
    for (const network of this.networks) network.look(this.grid);
    for (const { plane, diagram, bent, bentPlane } of pictures) {
      plane.draw();
      diagram.draw();
      if (!bent.hidden) bentPlane.draw();
    }
    const { networks, shadows, best } = this, lastEpoch = this.film?.run.epochs.at(-1);
    for (const one of curves) one.draw({ networks, shadows, best, lastEpoch });
    this.frames++;
  },

  showAll() {
    this.showFigures();
    this.showTexts();
    this.showButtons();
    this.draw();
  },

  showFigures() {
    byId("epoch").textContent = this.epoch.toLocaleString("en");
    for (const { network, card } of pictures) {
      const { testAcc, trainAcc } = network.last;
      card.querySelector(".score").textContent = percent(this.data.test.n ? testAcc : trainAcc);
      const of = this.data.test.n ? "test points right" : "points right";
      card.querySelector(".of").textContent = of;
      card.querySelector(".more").textContent =
        this.data.test.n ? `train ${percent(trainAcc)}` : "";
      card.querySelector(".more").hidden = Boolean(network.looking);
      const unit = card.querySelector(".unit");
      unit.hidden = !network.looking;
      if (network.looking) unit.textContent = `${unitName(network.looking)}  ×`;
    }
    byId("losses").textContent = this.networks.map(({ title, last: { trainLoss, testLoss } }) =>
      `${title} ${shownValue(this.data.test.n ? testLoss : trainLoss)}`).join(", ");
    byId("best").textContent = this.best ? `; best possible ${percent(this.best, 2)} (dotted)` : "";
  },

  showTexts() {
    const { settings, epoch, table, hide } = this;
    const { command, note } = writeCommand({ settings, epoch, file: this.film?.run.file ?? this.file });
    byId("command").textContent = command;
    byId("command").hidden = byId("copy-command").disabled = !command;
    const link = writeLink({ settings, epoch: this.running ? 0 : epoch, table, hide });
    const needsFile = command && settings.data === "own" && !this.film?.run.file;
    byId("command-note").textContent = [
      note,
      needsFile && "Download the points first: the command reads that file.",
      link === null && `A link can't hold more than ${MAX_POINTS_IN_LINK} points.`,
    ].filter(Boolean).join(" ");
    byId("code").textContent = writeCode({
      settings, epoch, standardize: this.data.standardize, classes: this.data.classNames.length,
    });
    byId("note").textContent = this.noteOnChanges();
    byId("copy-link").disabled = link === null;
    if (inPage && !this.film) {
      history.replaceState(null, "", link ? `#${link}` : location.pathname + location.search);
    }
  },

  noteOnChanges() {
    const { count } = this.data, here = this.data.train.n + this.data.test.n;
    if (count > here) {
      const [few, all] = [here, count].map(number => number.toLocaleString("en"));
      return `The page holds ${few} of the ${all} points: loss and accuracy are of these.`;
    }
    const { points, ...settings } = this.changed;
    const was = Object.entries(settings).map(([name, value]) => `${NUMBERS[name].label} was ${shownNumber(value)}`);
    if (points) was.push("points were others");
    if (was.length === 0) return "";
    return `Earlier in this training the ${was.join(" and the ")}: Reset and train anew for what ` +
      "the command and the link give.";
  },

  showButtons() {
    byId("train").textContent = this.running ? "Pause" : this.film ? "Go on from here" : "Train";
    byId("step").disabled = this.running;
    byId("play").textContent = this.film?.running ? "Pause" : "Play";
  },

  // Texts in the place of the pictures, for those who can't see them.
  describe() {
    for (const { network, plane, diagram, bentPlane } of pictures) {
      const { trainAcc, testAcc } = network.last, { title, settings: { hiddenUnits } } = network;
      const share = this.data.test.n ? `${percent(testAcc)} of the test points` : `${percent(trainAcc)} of the points`;
      plane.canvas.ariaLabel = `The plane as the ${title} network parts it at epoch ` +
        `${this.epoch}: ${share} are right. Arrow keys move a cross that reads out its values.`;
      const off = network.units?.flatMap(({ out }, layer) => out.filter((_, unit) => isOff(network, layer, unit)));
      diagram.canvas.ariaLabel = `The units of the ${title} network: ` +
        `${hiddenUnits.length ? `${hiddenUnits.join(" and ")} in its hidden layers` : "no hidden layer"}` +
        `${off?.length ? `, ${off.length} of them off everywhere` : ""}. Arrow keys go from unit to unit.`;
      bentPlane.canvas.ariaLabel = `The plane as the last hidden layer of the ${title} network bends it.`;
    }
    const say = kind => this.networks.map(({ title, last }) => `${title} ` +
      (kind === "Loss" ? shownValue(last.testLoss) : percent(last.testAcc))).join(", ");
    byId("loss").ariaLabel = `Loss over the epochs; now, on the test points: ${say("Loss")}.`;
    byId("accuracy").ariaLabel = `Accuracy over the epochs; now, on the test points: ${say("Acc")}.`;
  },
};

const inPage = location.protocol !== "about:"; // rather than in a notebook's frame
const stillness = matchMedia("(prefers-reduced-motion: reduce)");
let pictures = []; // for each network: its card, plane and drawing
let curves = [];

// Shows the networks in the cards, planes and drawings that there are, or in new ones.
function makePictures() {
  if (pictures.length !== app.networks.length) {
    pictures = app.networks.map(makePicture);
    byId("networks").replaceChildren(...pictures.map(({ card }) => card));
    byId("diagrams").replaceChildren(...pictures.map(({ drawing }) => drawing));
    document.body.dataset.networks = pictures.length;
  }
  pictures.forEach((picture, i) => {
    const network = app.networks[i], { plane, diagram, bentPlane } = picture;
    picture.network = plane.network = diagram.network = bentPlane.network = network;
    plane.stale = true;
    diagram.width = diagram.chosen = null;
    picture.card.querySelector("h2").textContent = network.title;
    picture.drawing.querySelector("figcaption").textContent = `${network.title}: units and weights`;
    picture.bent.hidden = network.settings.hiddenUnits.at(-1) !== 2;
  });
  showLegend();
  setTool(typeof app.tool === "string" || app.tool in app.data.classNames ? app.tool : "look");
  app.describe();
}

function makePicture() {
  const card = element("article", { className: "network" }), heading = element("header");
  const unit = element("button", { type: "button", className: "unit", hidden: true });
  heading.append(
    element("h2"), element("b", { className: "score" }), element("span", { className: "of" }),
    unit, element("span", { className: "more" }),
  );
  const plane = new Plane(newCanvas("plane")), diagram = new Diagram(newCanvas("diagram"));
  const bentPlane = new BentPlane(newCanvas("bent")), bent = element("div");
  const drawing = element("figure");
  card.append(heading, plane.canvas);
  const text = "the plane as the last hidden layer bends it";
  bent.append(element("figcaption", { textContent: text }), bentPlane.canvas);
  drawing.append(element("figcaption"), diagram.canvas, bent);
  unit.title = "back to the boundary";
  unit.onclick = () => app.lookAtUnit(plane.network, null);
  followPointer(plane);
  followDiagram(diagram);
  return { card, plane, drawing, diagram, bent, bentPlane };
}

function newCanvas(className) {
  const canvas = element("canvas", { className });
  canvas.setAttribute("role", "img");
  if (className !== "bent") canvas.tabIndex = 0;
  return canvas;
}

function showLegend() {
  const { classNames } = app.data;
  const [low, canvas, high] = byId("scale").children;
  byId("scale").hidden = classNames.length > 2;
  low.textContent = `0 %`;
  high.textContent = `100 % ${classNames[1] ?? ""}`;
  const context = canvas.getContext("2d"), image = new ImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i++) {
    pixels[i] = theme.probability[Math.floor(((i % canvas.width) / canvas.width) * 256)];
  }
  context.putImageData(image, 0, 0);
  canvas.ariaLabel = `colours of the probability of ${classNames[1]}`;
  const names = app.networks.map(({ title, name }) => `${name === "linear" ? "dashed" : "solid"}: ${title}`);
  byId("lines").textContent = `${names.join("; ")}; thick: test points, thin: training points` +
    "; grey: the run before";
}

function showExperiment(number) {
  const { options } = byId("experiment");
  options[0].textContent = app.film ? "a trained network" : "your own settings";
  byId("experiment").value = number ?? "";
  byId("sentence").textContent = number === null ? "" : EXPERIMENTS[number].why;
}

function showMessage(text) {
  byId("message").textContent = text;
  byId("message").hidden = !text;
}

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
      const until = Object.entries(network.whole).map(([key, list]) => [key, list.slice(0, this.place)]);
      network.history = Object.fromEntries(until);
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
    app.showButtons();
    const next = () => {
      if (!this.running || app.film !== this) return;
      this.show(this.place + 1);
      if (this.place === this.run.epochs.length - 1) {
        this.running = false;
        app.showButtons();
        app.describe();
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
    return { X: [0, 1].map(i => Float64Array.from({ length: n }, (_, p) => numbers[2 * p + i])), y: Int32Array.from(y), n };
  };
  run.data = { ...run.data, train: part(run.data.train), test: part(run.data.test) };
  return run;
}

// The beginning

function connect() {
  byId("train").onclick = () => (app.running ? app.pause() : app.train());
  byId("step").onclick = () => app.step();
  byId("reset").onclick = () => app.reset();
  byId("show-train").onchange = byId("show-test").onchange = () => {
    app.shown = { train: byId("show-train").checked, test: byId("show-test").checked };
    for (const { plane } of pictures) plane.stale = true;
    app.draw();
  };
  const experiment = byId("experiment");
  experiment.append(element("option", { value: "", textContent: "your own settings", hidden: true }));
  EXPERIMENTS.forEach(({ name }, i) =>
    experiment.append(element("option", { value: i, textContent: `${i + 1}. ${name}` })));
  experiment.onchange = () => app.takeExperiment(Number(experiment.value));
  const go = way => () => {
    const count = EXPERIMENTS.length, at = experiment.value === "" ? (way > 0 ? -1 : 0) : Number(experiment.value);
    app.takeExperiment((at + way + count) % count);
  };
  byId("previous").onclick = go(-1);
  byId("next").onclick = go(1);
  byId("play").onclick = () => (app.film.running ? app.stopFilm() : app.film.play());
  byId("place").oninput = () => {
    app.stopFilm();
    app.running = false;
    app.film.show(Number(byId("place").value));
    app.describe();
  };
  byId("copy-link").onclick = ({ target }) => copy(location.href, target);
  byId("copy-link").hidden = !inPage;
  byId("copy-command").onclick = ({ target }) => copy(byId("command").textContent, target);
  byId("copy-code").onclick = ({ target }) => copy(byId("code").textContent, target);
  byId("use-csv").onclick = () => takeCsv(byId("csv").value);
  byId("clear").onclick = () => {
    app.takeTable(emptyTable(), true);
    setTool(0);
  };
  byId("download").onclick = () => {
    const link = element("a", { download: "points.csv" });
    link.href = URL.createObjectURL(new Blob([csvText(app.table)], { type: "text/csv" }));
    link.click();
    URL.revokeObjectURL(link.href);
  };
  document.ondragover = event => event.preventDefault();
  document.ondrop = async event => {
    event.preventDefault();
    const file = event.dataTransfer.files[0];
    takeCsv(file ? await file.text() : event.dataTransfer.getData("text"), file?.name);
  };
  document.onkeydown = event => {
    const isControl = event.target.matches("input, select, textarea, button, summary, canvas, pre");
    if (event.key === " " && !isControl) {
      event.preventDefault();
      byId(app.film ? "play" : "train").click();
    }
  };
  matchMedia("(prefers-color-scheme: dark)").onchange = () => {
    readTheme();
    for (const { plane } of pictures) plane.stale = true;
    showLegend();
    showTools();
    app.draw();
  };
  new ResizeObserver(() => app.draw()).observe(document.querySelector("main"));
  addEventListener("hashchange", open);
}

function takeCsv(text, file = "points.csv") {
  try {
    const table = parseCsv(text);
    app.file = file;
    app.takeTable(table, false);
    showMessage("");
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    showMessage(error.message);
  }
}

// Opens what the link says, or the run that the page holds.
function open() {
  const { settings, epoch, table, hide, wrong } = readLink(location.hash);
  Object.assign(app, { settings, hide, running: false, film: null });
  if (table) app.table = table;
  const run = byId("run");
  if (run && !location.hash) {
    app.film = new Film(readRun(run.textContent));
    Object.assign(app.settings, app.film.run.settings);
    app.film.open();
    app.film.show(app.film.run.epochs.length === 1 || stillness.matches ? app.film.run.epochs.length - 1 : 0);
    if (app.film.run.epochs.length > 1 && !stillness.matches) app.film.play();
  } else {
    app.restart();
  }
  for (const part of document.querySelectorAll("[data-part]")) {
    part.classList.toggle("hidden", hide.includes(part.dataset.part));
  }
  for (const box of document.querySelectorAll(".row[data-setting]")) {
    const name = box.dataset.setting, option = NUMBERS[name]?.option ?? CHOICES[name]?.option;
    const other = { hiddenUnits: "hidden_units", batchNorm: "batch_norm" }[name] ?? name;
    box.classList.toggle("hidden", hide.includes(option ?? other));
  }
  showControls(app.settings);
  showMessage(wrong);
  const isFirst = !app.film && !location.hash;
  showExperiment(isFirst ? 0 : null);
  if (epoch > 0) app.train(epoch);
}

readTheme();
curves = [new Curves(byId("loss"), "Loss"), new Curves(byId("accuracy"), "Acc")];
for (const { canvas } of curves) canvas.setAttribute("role", "img");
makeControls();
connect();
open();
