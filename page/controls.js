// The controls: for each setting that is a number a slider over usual values, and a box for others.

const element = (kind, properties = {}) => Object.assign(document.createElement(kind), properties);
const byId = id => document.getElementById(id);

const controls = {}; // for each setting a function that shows its value

function makeControls() {
  const groups = Object.fromEntries(["data", "network", "training"].map(group =>
    [group, byId(`${group}-controls`)]));
  groups.data.append(choice("data", "data set", DATA_NAMES));
  groups.network.append(choice("show", "networks", { both: "side by side", one: "one alone" }));
  groups.network.append(inputChoices(), layerButtons());
  groups.network.append(choice("activation", "activation", ACTIVATION_NAMES), batchNormBox());
  for (const name in NUMBERS) groups[NUMBERS[name].group].append(numberControl(name));
}

function row(name, label, ...parts) {
  const box = element("div", { className: "row" });
  box.dataset.setting = name;
  box.append(element("label", { textContent: label, htmlFor: `set-${name}` }), ...parts);
  return box;
}

function choice(name, label, names) {
  const select = element("select", { id: `set-${name}` });
  for (const [value, text] of Object.entries(names)) {
    select.append(element("option", { value, textContent: text }));
  }
  select.onchange = () => app.change(name, select.value);
  controls[name] = value => (select.value = value);
  return row(name, label, select);
}

function numberControl(name) {
  const { label, usual, live } = NUMBERS[name];
  const slider = element("input", { type: "range", min: 0, step: 1, tabIndex: 0 });
  const box = element("input", { type: "text", id: `set-${name}`, inputMode: "decimal" });
  slider.ariaLabel = label;
  let values = usual;
  const send = value => {
    const wrong = app.change(name, value);
    box.ariaInvalid = String(Boolean(wrong));
  };
  slider[live ? "oninput" : "onchange"] = () => send(values[slider.value]);
  if (!live) slider.oninput = () => (box.value = shownNumber(values[slider.value]));
  box.onchange = () => send(readNumber(box.value));
  controls[name] = value => {
    if (value === undefined) return;
    const order = one => (one === null ? Infinity : one);
    values = [...new Set([...usual, value])].sort((a, b) => order(a) - order(b));
    slider.max = values.length - 1;
    slider.value = values.indexOf(value);
    slider.ariaValueText = shownNumber(value);
    box.value = shownNumber(value);
    box.ariaInvalid = "false";
  };
  return row(name, label, slider, box);
}

function batchNormBox() {
  const box = element("input", { type: "checkbox", id: "set-batchNorm" });
  box.onchange = () => {
    if (app.change("batchNorm", box.checked)) box.checked = app.settings.batchNorm;
  };
  controls.batchNorm = value => (box.checked = value);
  return row("batchNorm", "batch norm", box);
}

function inputChoices() {
  const box = element("div", { className: "chips", id: "set-inputs", role: "group" });
  box.ariaLabel = "inputs";
  const buttons = Object.keys(INPUTS).map(name => {
    const button = element("button", { type: "button", textContent: inputText(name) });
    button.onclick = () => {
      const { inputs } = app.settings, has = inputs.includes(name);
      app.change("inputs", Object.keys(INPUTS).filter(one =>
        (one === name ? !has : inputs.includes(one))));
    };
    return [name, button];
  });
  controls.inputs = value => {
    for (const [name, button] of buttons) button.ariaPressed = String(value.includes(name));
  };
  box.append(...buttons.map(([, button]) => button));
  return row("inputs", "inputs", box);
}

function layerButtons() {
  const box = element("div", { className: "layers", id: "set-hiddenUnits" });
  const small = (text, label, change) => {
    const button = element("button", { type: "button", textContent: text, ariaLabel: label });
    button.onclick = () => app.change("hiddenUnits", change([...app.settings.hiddenUnits]));
    return button;
  };
  const step = width => (width < 8 ? 1 : width < 32 ? 4 : width < 128 ? 16 : 64);
  controls.hiddenUnits = widths => {
    const focused = box.contains(document.activeElement) ? document.activeElement.ariaLabel : null;
    const layers = widths.map((width, i) => {
      const layer = element("div", { className: "layer" });
      const set = value => all => all.with(i, value);
      const fewerUnits = Math.max(1, width - step(width - 1));
      const less = small("−", `fewer units in layer ${i + 1}`, set(fewerUnits));
      const more = small("+", `more units in layer ${i + 1}`, set(width + step(width)));
      const count = element("input", { type: "text", inputMode: "numeric", value: width });
      count.ariaLabel = `units in layer ${i + 1}`;
      count.onchange = () => {
        const wrong = app.change("hiddenUnits", widths.with(i, readNumber(count.value)));
        count.ariaInvalid = String(Boolean(wrong));
      };
      less.disabled = width <= 1;
      more.disabled = width >= MAX_WIDTH;
      layer.append(less, count, more);
      return layer;
    });
    const fewer = small("− layer", "one layer fewer", all => all.slice(0, -1));
    const more = small("+ layer", "one more layer", all => [...all, all.at(-1) ?? 16]);
    fewer.disabled = widths.length === 0;
    more.disabled = widths.length >= MAX_LAYERS;
    const ends = element("div", { className: "ends" });
    ends.append(fewer, more);
    box.replaceChildren(...layers, ends);
    if (focused) box.querySelector(`[aria-label="${focused}"]`)?.focus();
  };
  const all = row("hiddenUnits", "hidden units", box);
  all.querySelector("label").removeAttribute("for");
  return all;
}

function showControls(settings) {
  for (const [name, show] of Object.entries(controls)) show(settings[name]);
  for (const box of document.querySelectorAll(".row[data-setting]")) {
    const { setting } = box.dataset;
    box.hidden = Boolean(NUMBERS[setting]?.ofData) && !(setting in DATASETS[settings.data]);
  }
}

function markerIcon(label) {
  const canvas = blankCanvas(28, 28), context = canvas.getContext("2d");
  canvas.className = "marker";
  context.scale(2, 2);
  context.beginPath();
  addMarker(context, label, 7, 7, 4.5);
  context.fillStyle = cssOf(theme.classes[label]);
  context.fill();
  return canvas;
}

async function copy(text, button) {
  let copied = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch { // in a frame without the permission, say
    const box = element("textarea", { value: text });
    document.body.append(box);
    box.select();
    copied = document.execCommand("copy");
    box.remove();
  }
  const { textContent } = button;
  button.textContent = copied ? "Copied" : "Not allowed here";
  say(button.textContent);
  setTimeout(() => (button.textContent = textContent), 1500);
}
