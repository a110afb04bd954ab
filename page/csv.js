// CSV text, as support/csv_file.py reads it: a header, then rows whose first two columns are
// numbers and whose last is a label.

const MAX_ROWS = 20_000, MAX_CLASSES = 28; // 7 colours in 4 shades

function parseCsv(text) {
  const rows = csvRows(text.replace(/^\ufeff/, ""));
  const header = rows.shift()?.cells.map(cell => cell.trim()) ?? [];
  if (header.length < 3) {
    throw new DataError("Line 1 must name two features and a label, with commas between them; " +
      `got ${quoted(header.join(","))}.`);
  }
  if (rows.length === 0) {
    throw new DataError("There must be rows below the header; there are none.");
  }
  if (rows.length > MAX_ROWS) {
    throw new DataError(`There must be at most ${MAX_ROWS.toLocaleString("en")} rows; got ` +
      `${rows.length.toLocaleString("en")}.`);
  }
  const last = header.length - 1, X = [[], []], labels = [];
  for (const { line, cells } of rows) {
    if (cells.length !== header.length) {
      throw new DataError(`Line ${line} must have ${header.length} columns, as the header has; ` +
        `got ${cells.length}.`);
    }
    for (const i of [0, 1]) {
      const value = cells[i].trim() === "" ? NaN : Math.fround(Number(cells[i]));
      if (!Number.isFinite(value)) {
        throw new DataError(`Line ${line}, column ${quoted(header[i])} must be a finite number; ` +
          `got ${cells[i].trim() === "" ? "nothing" : quoted(cells[i])}.`);
      }
      X[i].push(value);
    }
    if (cells[last].trim() === "") {
      throw new DataError(`Line ${line}, column ${quoted(header[last])} must be a label; ` +
        "got nothing.");
    }
    labels.push(cells[last].trim());
  }
  const classNames = sortedLabels([...new Set(labels)]);
  const counts = classNames.map(name => labels.filter(label => label === name).length);
  const column = `Column ${quoted(header[last])}`;
  if (classNames.length < 2) {
    throw new DataError(`${column} must have two classes or more; every label is ` +
      `${quoted(classNames[0])}.`);
  }
  if (classNames.length > MAX_CLASSES) {
    throw new DataError(`${column} must have at most ${MAX_CLASSES} classes here; got ` +
      `${classNames.length}.`);
  }
  if (Math.min(...counts) < 2) {
    const once = classNames[counts.indexOf(1)];
    throw new DataError(`${column} must have each class twice or more, to train and to test; ` +
      `${quoted(once)} is there once.`);
  }
  return {
    X: X.map(row => Float64Array.from(row)),
    y: Int32Array.from(labels, label => classNames.indexOf(label)),
    classNames,
    featureNames: header.slice(0, 2),
  };
}

class DataError extends Error {}

const quoted = text => `"${text.length > 40 ? `${text.slice(0, 40)}...` : text}"`;

// In the order of the numbers if all labels are such, else by alphabet.
function sortedLabels(labels) {
  if (labels.every(label => !Number.isNaN(Number(label)))) {
    return labels.sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1));
  }
  return labels.sort((a, b) => (a < b ? -1 : 1));
}

// Rows of cells with their lines' numbers; cells may be in quotes. Empty lines are left out.
function csvRows(text) {
  const rows = [];
  let cells = [], cell = "", inQuotes = false, line = 1;
  const endRow = () => {
    cells.push(cell);
    if (cells.length > 1 || cell !== "") rows.push({ line, cells });
    cells = [];
    cell = "";
  };
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (inQuotes) {
      if (character !== '"') cell += character;
      else if (text[i + 1] === '"') cell += text[++i];
      else inQuotes = false;
    } else if (character === '"' && cell === "") {
      inQuotes = true;
    } else if (character === ",") {
      cells.push(cell);
      cell = "";
    } else if (character === "\n" || character === "\r") {
      if (character === "\r" && text[i + 1] === "\n") i++;
      endRow();
      line++;
    } else {
      cell += character;
    }
  }
  if (inQuotes) throw new DataError(`Line ${line} has a quotation mark that isn't closed.`);
  endRow();
  return rows;
}

function csvText(table) {
  const cell = text => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const names = [...(table.featureNames ?? ["x1", "x2"]), "label"].map(cell);
  const rows = Array.from(table.y, (label, p) =>
    [table.X[0][p], table.X[1][p], cell(table.classNames[label])].join(","));
  return [names.join(","), ...rows, ""].join("\n");
}
