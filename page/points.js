// What a pointer or a key does in a plane: it shows values, or adds, moves and erases points.

const REACH = 9; // pixels from a point that still mean it
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

// Classes from 0 on are tools that add a point of theirs.
function setTool(tool) {
  app.tool = tool;
  for (const canvas of document.querySelectorAll(".plane")) {
    canvas.classList.toggle("drawing", tool !== "look");
  }
  showTools();
}

function showTools() {
  const names = app.data.classNames;
  const tools = [["look", "Look"], ...names.slice(0, 7).map((name, label) => [label, name])];
  if (names.length < 7) tools.push(["class", "+ class"]);
  tools.push(["erase", "Erase"]);
  const box = byId("tools");
  const focused = box.contains(document.activeElement) ? document.activeElement.dataset.tool : null;
  box.replaceChildren(
    ...tools.map(([tool, text]) => {
      const button = element("button", { type: "button", role: "radio" });
      button.dataset.tool = tool;
      button.ariaChecked = String(tool === app.tool);
      if (typeof tool === "number") {
        button.append(markerIcon(tool), text);
        button.ariaLabel = `add a point of ${text}`;
      } else {
        button.textContent = text;
        if (tool === "class") button.ariaLabel = "one more class";
      }
      button.onclick = () => (tool === "class" ? addClass() : setTool(tool));
      return button;
    }),
  );
  if (focused) box.querySelector(`[data-tool="${focused}"]`)?.focus();
}

function addClass() {
  const { table } = app, classNames = [...table.classNames, `class ${table.classNames.length}`];
  app.tool = classNames.length - 1;
  app.takeTable({ ...table, classNames }, true);
  setTool(app.tool);
}

const pointsOf = ({ X, y }) => Array.from(y, (label, p) => [X[0][p], X[1][p], label]);

function changePoints(change) {
  const points = pointsOf(app.table);
  change(points);
  app.takeTable({ ...app.table, ...tableOf(points) }, true);
}

// The point of the table that lies nearest to a place in a plane, if one is near.
function pointAt(plane, px, py, reach = REACH) {
  let best = -1, least = reach;
  const { X, y } = app.table;
  for (let p = 0; p < y.length; p++) {
    const [x, z] = plane.toPixels(X[0][p], X[1][p]), distance = Math.hypot(x - px, z - py);
    if (distance <= least) [best, least] = [p, distance];
  }
  return best;
}

// To a five-hundredth of the plane: finer than a pixel, and short in a link.
function rounded([x1, x2]) {
  return [[x1, app.range.x1], [x2, app.range.x2]].map(([value, [low, high]]) => {
    const digits = Math.max(0, Math.ceil(-Math.log10((high - low) / 500)));
    return Number(value.toFixed(digits));
  });
}

function followPointer(plane) {
  const { canvas } = plane;
  let stroke = null; // what the pressed pointer is doing

  canvas.onpointerdown = event => {
    if (event.button !== 0 || app.tool === "look") return;
    const place = [event.offsetX, event.offsetY];
    if (!plane.isInside(...place)) return;
    canvas.setPointerCapture(event.pointerId);
    event.preventDefault();
    canvas.focus();
    const point = pointAt(plane, ...place);
    if (app.tool === "erase") {
      stroke = { kind: "erase" };
      erase(plane, place);
    } else if (point >= 0) {
      stroke = { kind: "move", point, place, moved: false };
    } else {
      stroke = { kind: "add", place };
      changePoints(points => points.push([...rounded(plane.toData(...place)), app.tool]));
    }
  };

  canvas.onpointermove = event => {
    const place = [event.offsetX, event.offsetY];
    if (!stroke) {
      if (app.tool === "look") lookAt(plane, event);
      return;
    }
    if (!plane.isInside(...place)) return;
    const way = stroke.place && Math.hypot(place[0] - stroke.place[0], place[1] - stroke.place[1]);
    if (stroke.kind === "erase") {
      erase(plane, place);
    } else if (stroke.kind === "add" && way > 14) {
      stroke.place = place;
      changePoints(points => points.push([...rounded(plane.toData(...place)), app.tool]));
    } else if (stroke.kind === "move" && (stroke.moved || way > 3)) {
      stroke.moved = true;
      changePoints(points => points[stroke.point].splice(0, 2, ...rounded(plane.toData(...place))));
    }
  };

  canvas.onpointerup = canvas.onpointercancel = event => {
    if (event.type === "pointerup" && stroke?.kind === "move" && !stroke.moved) {
      const { point } = stroke, classes = app.table.classNames.length;
      changePoints(points => (points[point][2] = (points[point][2] + 1) % classes));
    }
    stroke = null;
  };

  canvas.onclick = event => {
    if (app.tool === "look") lookAt(plane, event);
  };

  canvas.onpointerleave = ({ pointerType }) => { // a finger leaves as it is lifted
    if (app.tool === "look" && pointerType !== "touch") forget();
  };

  canvas.onkeydown = event => {
    const { key } = event, { x1, x2 } = app.range, way = WAYS[key];
    if (way) {
      const middle = [(x1[0] + x1[1]) / 2, (x2[0] + x2[1]) / 2], at = app.cursor ?? middle;
      const step = event.shiftKey ? 8 : 40;
      app.cursor = [x1, x2].map(([low, high], i) =>
        Math.min(high, Math.max(low, at[i] + (way[i] * (high - low)) / step)));
      showTip(plane, plane.toPixels(...app.cursor));
      say(byId("tip").innerText);
    } else if (key === "Escape") {
      app.lookAtUnit(plane.network, null);
      forget();
    } else if ((key === "Enter" || key === " ") && app.cursor && Number.isInteger(app.tool)) {
      const place = rounded(app.cursor), label = app.tool;
      changePoints(points => points.push([...place, label]));
    } else if ((key === "Delete" || key === "Backspace") && app.cursor) {
      erase(plane, plane.toPixels(...app.cursor));
    } else {
      return;
    }
    event.preventDefault();
    app.draw();
  };
  canvas.onblur = forget;
}

function erase(plane, place) {
  const point = pointAt(plane, ...place, 1.5 * REACH);
  if (point >= 0) changePoints(points => points.splice(point, 1));
}

function lookAt(plane, event) {
  const place = [event.offsetX, event.offsetY];
  if (!plane.isInside(...place)) {
    forget();
    return;
  }
  app.cursor = plane.toData(...place);
  showTip(plane, place);
  app.draw();
}

function forget() {
  if (!app.cursor) return;
  app.cursor = null;
  hideTip();
  app.draw();
}

function showTip(plane, [px, py]) {
  const [name1, name2] = axisNames();
  const lines = [`${name1} ${shownValue(app.cursor[0])}, ${name2} ${shownValue(app.cursor[1])}`];
  for (const network of app.networks) {
    const { label, probability } = network.ask(...app.cursor);
    lines.push(`${network.title}: ${app.data.classNames[label]}, ${percent(probability)}`);
  }
  putTip(plane.canvas, lines, px, py);
}

function putTip(canvas, lines, px, py) {
  const tip = byId("tip"), box = canvas.getBoundingClientRect();
  tip.replaceChildren(...lines.map(line => element("div", { textContent: line })));
  tip.hidden = false;
  const most = document.documentElement.clientWidth - tip.offsetWidth - 8;
  const left = Math.min(box.left + px + 16, most);
  const above = box.top + py - tip.offsetHeight - 12;
  tip.style.left = `${Math.max(8, left) + scrollX}px`;
  tip.style.top = `${(above > 4 ? above : box.top + py + 18) + scrollY}px`;
}

function hideTip() {
  byId("tip").hidden = true;
}

// What a pointer or a key does in the drawing of a network.
function followDiagram(diagram) {
  const { canvas } = diagram;
  const choose = node => {
    diagram.chosen = node;
    app.draw();
  };
  const tell = ({ offsetX: x, offsetY: y }) => {
    const node = diagram.nodeAt(x, y), line = node ? null : diagram.lineAt(x, y);
    canvas.style.cursor = node?.layer >= 0 ? "pointer" : "default";
    if (node) putTip(canvas, [diagram.describe(node)], x, y);
    else if (line) putTip(canvas, [diagram.describeLine(line)], x, y);
    else hideTip();
  };
  canvas.onpointermove = tell;
  canvas.onpointerleave = ({ pointerType }) => {
    if (pointerType !== "touch") hideTip();
  };
  canvas.onclick = event => {
    tell(event);
    app.lookAtUnit(diagram.network, diagram.nodeAt(event.offsetX, event.offsetY));
  };
  canvas.onfocus = () => {
    if (canvas.matches(":focus-visible")) choose(diagram.chosen ?? diagram.nodes[0]);
  };
  canvas.onblur = () => {
    diagram.chosen = null;
    hideTip();
    app.draw();
  };
  canvas.onkeydown = event => {
    const { key } = event, at = diagram.chosen ?? diagram.nodes[0];
    const [before, here, after] = [0, 1, 2].map(i => diagram.layers[at.layer + i]?.nodes);
    const place = here.indexOf(at);
    if (key === "ArrowDown") choose(here[place + 1] ?? at);
    else if (key === "ArrowUp") choose(here[place - 1] ?? at);
    else if (key === "ArrowLeft") choose(nearest(before, at) ?? at);
    else if (key === "ArrowRight") choose(nearest(after, at) ?? at);
    else if (key === "Enter" || key === " ") app.lookAtUnit(diagram.network, at);
    else if (key === "Escape") app.lookAtUnit(diagram.network, null);
    else return;
    event.preventDefault();
    const node = diagram.chosen ?? at, text = diagram.describe(node);
    putTip(canvas, [text], node.x + diagram.side, node.y);
    say(text);
  };
}

const nearest = (nodes, { y }) => nodes?.reduce((best, node) =>
  (Math.abs(node.y - y) < Math.abs(best.y - y) ? node : best));
