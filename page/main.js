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
    const { hiddenUnits } = this.settings;
    this.settings = { ...withDataset(this.settings, "own"), hiddenUnits };
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
    const { epochsPerFrame } = this.settings;
    const base = withDataset(DEFAULTS, settings.data ?? "circles");
    this.settings = { ...base, epochsPerFrame, ...settings };
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
    const end = performance.now() + milliseconds;
    do {
      for (const { training } of this.networks) training.trainEpoch();
    } while (--epochs > 0 && this.epoch !== this.target && performance.now() < end);
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
    const file = this.film?.run.file ?? this.file;
    const { command, note } = writeCommand({ settings, epoch, file });
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
    const was = Object.entries(settings).map(([name, value]) =>
      `${NUMBERS[name].label} was ${shownNumber(value)}`);
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
      const share = this.data.test.n
        ? `${percent(testAcc)} of the test points` : `${percent(trainAcc)} of the points`;
      plane.canvas.ariaLabel = `The plane as the ${title} network parts it at epoch ` +
        `${this.epoch}: ${share} are right. Arrow keys move a cross that reads out its values.`;
      const off = network.units?.flatMap(({ out }, layer) =>
        out.filter((_, unit) => isOff(network, layer, unit))) ?? [];
      diagram.canvas.ariaLabel = [
        `The units of the ${title} network: ${hiddenUnits.join(" and ") || "none"} in its hidden `,
        `layers${off.length ? `, ${off.length} of them off everywhere` : ""}. `,
        "Arrow keys go from unit to unit.",
      ].join("");
      bentPlane.canvas.ariaLabel =
        `The plane as the last hidden layer of the ${title} network bends it.`;
    }
    const say = kind => this.networks.map(({ title, last }) => `${title} ` +
      (kind === "Loss" ? shownValue(last.testLoss) : percent(last.testAcc))).join(", ");
    byId("loss").ariaLabel = `Loss over the epochs; now, on the test points: ${say("Loss")}.`;
    byId("accuracy").ariaLabel =
      `Accuracy over the epochs; now, on the test points: ${say("Acc")}.`;
  },
};

const inPage = location.protocol !== "about:"; // rather than in a notebook's frame
const stillness = matchMedia("(prefers-reduced-motion: reduce)");
let curves = [];

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
  experiment.append(element("option", { value: "", hidden: true }));
  EXPERIMENTS.forEach(({ name }, i) =>
    experiment.append(element("option", { value: i, textContent: `${i + 1}. ${name}` })));
  experiment.onchange = () => app.takeExperiment(Number(experiment.value));
  const go = way => () => {
    const count = EXPERIMENTS.length, none = way > 0 ? -1 : 0; // where there is no experiment now
    const at = experiment.value === "" ? none : Number(experiment.value);
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
    const last = app.film.run.epochs.length - 1, plays = last > 0 && !stillness.matches;
    app.film.open();
    app.film.show(plays ? 0 : last);
    if (plays) app.film.play();
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
