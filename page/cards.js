// The cards of the networks, with their canvases, and the legend.

let pictures = []; // for each network: its card, its plane and its drawing

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
  describe();
}

function makePicture() {
  const card = element("article", { className: "network" }), heading = element("header");
  const unit = element("button", { type: "button", className: "unit", hidden: true });
  const of = element("span", { className: "of" });
  of.append(element("span", { className: "part" }), element("span", { textContent: " accuracy" }));
  heading.append(
    element("h2"), element("b", { className: "score" }), of, unit,
    element("span", { className: "more" }),
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
  const names = app.networks.map(({ title, name }) =>
    `${name === "linear" ? "dashed" : "solid"}: ${title}`);
  byId("lines").textContent = `${names.join("; ")}; thick: test points, thin: training points` +
    (app.shadows.length ? "; grey: the run before" : "");
}
