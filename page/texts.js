// What the page says in words: figures, notes, and texts for those who can't see the pictures.

// A network's loss and accuracy on the test points, or on all points where there is no test.
function shownFigures({ last }) {
  return app.data.test.n
    ? { loss: shownValue(last.testLoss), accuracy: percent(last.testAcc), points: "test points" }
    : { loss: shownValue(last.trainLoss), accuracy: percent(last.trainAcc), points: "points" };
}

function showFigures() {
  byId("epoch").textContent = app.epoch.toLocaleString("en");
  for (const { network, card } of pictures) {
    const { accuracy } = shownFigures(network);
    card.querySelector(".score").textContent = accuracy;
    card.querySelector(".of .part").textContent = app.data.test.n ? "test" : "train";
    const more = card.querySelector(".more"), unit = card.querySelector(".unit");
    more.textContent = app.data.test.n ? `train ${percent(network.last.trainAcc)}` : "";
    more.hidden = Boolean(network.looking);
    unit.hidden = !network.looking;
    if (network.looking) unit.textContent = `${unitName(network.looking)}  ×`;
  }
  byId("losses").textContent =
    app.networks.map(network => `${network.title} ${shownFigures(network).loss}`).join(", ");
  byId("best").textContent = app.best ? `; best possible ${percent(app.best, 2)} (dotted)` : "";
}

// The link, the command, the code and the notes.
function showTexts() {
  const { settings, epoch, table, hide, film, data: { standardize, classNames } } = app;
  const file = film?.run.file ?? app.file;
  const { command, note } = writeCommand({ settings, epoch, file });
  byId("command").textContent = command;
  byId("command").hidden = byId("copy-command").disabled = !command;
  const link = writeLink({ settings, epoch: app.running ? 0 : epoch, table, hide });
  const needsFile = command && settings.data === "own" && !film?.run.file;
  byId("command-note").textContent = [
    note,
    needsFile && "Download the points first: the command reads that file.",
    link === null && `A link can't hold more than ${MAX_POINTS_IN_LINK} points.`,
  ].filter(Boolean).join(" ");
  byId("code").textContent =
    writeCode({ settings, epoch, standardize, classes: classNames.length });
  byId("note").textContent = shownNote();
  byId("copy-link").disabled = link === null;
  if (inPage && !film) {
    history.replaceState(null, "", link ? `#${link}` : location.pathname + location.search);
  }
}

function shownNote() {
  const { count } = app.data, here = app.data.train.n + app.data.test.n;
  if (count > here) {
    const [few, all] = [here, count].map(number => number.toLocaleString("en"));
    return `The page holds ${few} of the ${all} points: loss and accuracy are of these.`;
  }
  const { points, ...settings } = app.changed;
  const was = Object.entries(settings).map(([name, value]) =>
    `${NUMBERS[name].label} was ${shownNumber(value)}`);
  if (points) was.push("points were others");
  if (was.length) {
    return `Earlier in this training the ${was.join(" and the ")}: Reset and train anew for what ` +
      "the command and the link give.";
  }
  return app.epoch || app.running || app.film ? ""
    : "Press Train, and watch the line where a network is undecided.";
}

function showButtons() {
  const { film, running } = app;
  byId("train").textContent = running ? "Pause" : film ? "Go on from here" : "Train";
  byId("train").classList.toggle("primary", byId("film").hidden);
  byId("step").disabled = running;
  byId("play").textContent = film?.running ? "Pause" : "Play";
}

// Names the experiment whose settings these are, and says what it shows.
function showExperiment() {
  const number = EXPERIMENTS.findIndex(one => isExperiment(one, app.settings));
  const { options } = byId("experiment");
  options[0].textContent = app.film ? "a trained network" : "your own settings";
  byId("experiment").value = app.film || number < 0 ? "" : number;
  byId("sentence").textContent = EXPERIMENTS[number]?.why ?? "";
}

function showMessage(text) {
  byId("message").textContent = text;
  byId("message").hidden = !text;
}

// For those who hear the page rather than see it.
function say(text) {
  byId("said").textContent = text;
}

function describe() {
  for (const { network, plane, diagram, bentPlane } of pictures) {
    const { title, settings: { hiddenUnits } } = network;
    const { accuracy, points } = shownFigures(network);
    plane.canvas.ariaLabel = `The plane as the ${title} network parts it at epoch ` +
      `${app.epoch}: ${accuracy} of the ${points} are right. Arrow keys move a cross that reads ` +
      "out its values.";
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
  for (const [id, name] of [["loss", "Loss"], ["accuracy", "Accuracy"]]) {
    const now = app.networks.map(network => `${network.title} ${shownFigures(network)[id]}`);
    const { points } = shownFigures(app.networks[0]);
    byId(id).ariaLabel = `${name} over the epochs; now, on the ${points}: ${now.join(", ")}.`;
  }
}
