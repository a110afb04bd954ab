// The beginning: what the buttons do, and what the page opens with.

const inPage = location.protocol !== "about:"; // rather than in a notebook's frame
const stillness = matchMedia("(prefers-reduced-motion: reduce)");
let curves = [];

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
    describe();
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
  const { settings, epoch, table, hide, wrong, isEmpty } = readLink(location.hash);
  Object.assign(app, { settings, hide, running: false, film: null });
  if (table) app.table = table;
  const run = byId("run");
  if (run && isEmpty) {
    app.film = new Film(readRun(run.textContent));
    Object.assign(app.settings, app.film.run.settings);
    const last = app.film.run.epochs.length - 1, plays = last > 0 && !stillness.matches;
    app.film.open();
    app.film.show(plays ? 0 : last);
    if (plays) app.film.play();
  } else {
    app.restart();
  }
  showControls(app.settings);
  showExperiment();
  showMessage([wrong, hideParts(hide)].filter(Boolean).join(" "));
  if (epoch > 0) app.train(epoch);
}

// Hides parts of the page, and rows of the settings by their options' names; returns a sentence on
// a name that there isn't.
function hideParts(hide) {
  const names = new Set();
  for (const box of document.querySelectorAll("[data-part], .row[data-setting]")) {
    const { part, setting } = box.dataset;
    const name = part ?? Object.keys(optionNames).find(one => optionNames[one] === setting);
    names.add(name);
    box.classList.toggle("hidden", hide.includes(name));
  }
  const unknown = hide.find(name => !names.has(name));
  return unknown === undefined ? ""
    : `The page has no part "${unknown}" to hide; it has ${[...names].join(", ")}.`;
}

readTheme();
curves = [new Curves(byId("loss"), "Loss"), new Curves(byId("accuracy"), "Acc")];
for (const { canvas } of curves) canvas.setAttribute("role", "img");
makeControls();
connect();
open();
