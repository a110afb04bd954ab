// The page's state, what the controls do to it, and the loop that trains and draws.

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
    showExperiment();
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
      this.leaveFilm();
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
    if (!NUMBERS[name]?.live) showExperiment();
    showTexts();
    return null;
  },

  takeExperiment(number) {
    this.leaveFilm();
    this.pause();
    this.settings = experimentSettings(EXPERIMENTS[number], this.settings);
    this.networks = this.shadows = [];
    this.restart();
    showMessage("");
    showControls(this.settings);
    showExperiment();
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
    showTexts();
    showButtons();
    requestAnimationFrame(() => this.frame());
  },

  pause() {
    this.running = false;
    this.draw();
    showTexts();
    showButtons();
    describe();
  },

  step() {
    this.stopFilm();
    if (this.data.train.n === 0) return;
    this.trainEpochs(1, Infinity);
    this.showAll();
    describe();
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
    showFigures();
    if (!this.running) this.pause();
    else if (stillness.matches) setTimeout(() => this.frame(), 500); // few pictures, if so wished
    else requestAnimationFrame(() => this.frame());
  },

  lookAtUnit(network, node) {
    const isUnit = node && node.layer >= 0 && node.layer < network.settings.hiddenUnits.length;
    const { looking } = network;
    const same = isUnit && looking?.layer === node.layer && looking.unit === node.unit;
    network.looking = isUnit && !same ? { layer: node.layer, unit: node.unit } : null;
    showFigures();
    this.draw();
  },

  // The film

  stopFilm() {
    if (this.film) this.film.running = false;
    showButtons();
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
    showFigures();
    showTexts();
    showButtons();
    this.draw();
  },
};
