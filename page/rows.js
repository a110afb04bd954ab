// Sums and products of rows, which is where the time goes, and the normal distribution.

// Rows for n points: those that are there already, if they are long enough.
function roomFor(n, units, rows) {
  if (rows && rows[0].length >= n) return rows;
  return Array.from({ length: units }, () => new Float64Array(n));
}

// Adds to each target j the rows, row i times weights[j * ofTarget + i * ofRow]. It takes two
// targets and four rows at a time, which is faster; those that there aren't have the weight 0.
function addProduct(targets, weights, ofTarget, ofRow, rows, n) {
  const weight = (j, i) =>
    (j < targets.length && i < rows.length ? weights[j * ofTarget + i * ofRow] : 0);
  for (let j = 0; j < targets.length; j += 2) {
    const one = targets[j], other = targets[j + 1] ?? one;
    for (let i = 0; i < rows.length; i += 4) {
      const a = rows[i], b = rows[i + 1] ?? a, c = rows[i + 2] ?? a, d = rows[i + 3] ?? a;
      const oneA = weight(j, i), otherA = weight(j + 1, i);
      const oneB = weight(j, i + 1), otherB = weight(j + 1, i + 1);
      const oneC = weight(j, i + 2), otherC = weight(j + 1, i + 2);
      const oneD = weight(j, i + 3), otherD = weight(j + 1, i + 3);
      for (let p = 0; p < n; p++) {
        const ap = a[p], bp = b[p], cp = c[p], dp = d[p];
        one[p] += oneA * ap + oneB * bp + oneC * cp + oneD * dp;
        other[p] += otherA * ap + otherB * bp + otherC * cp + otherD * dp;
      }
    }
  }
}

// Puts the dot product of each of the rows with each of the others in its place; four at a time.
function dotProducts(products, rows, others, n) {
  const width = others.length;
  for (let j = 0; j < rows.length; j += 2) {
    const a = rows[j], b = rows[j + 1] ?? a;
    for (let i = 0; i < width; i += 2) {
      const c = others[i], d = others[i + 1] ?? c;
      let ac = 0, ad = 0, bc = 0, bd = 0;
      for (let p = 0; p < n; p++) {
        const ap = a[p], bp = b[p], cp = c[p], dp = d[p];
        ac += ap * cp;
        ad += ap * dp;
        bc += bp * cp;
        bd += bp * dp;
      }
      products[j * width + i] = ac;
      if (i + 1 < width) products[j * width + i + 1] = ad;
      if (j + 1 < rows.length) products[(j + 1) * width + i] = bc;
      if (i + 1 < width && j + 1 < rows.length) products[(j + 1) * width + i + 1] = bd;
    }
  }
}

function dot(one, other, n) {
  let total = 0;
  for (let p = 0; p < n; p++) total += one[p] * other[p];
  return total;
}

function sum(row, n) {
  let total = 0;
  for (let p = 0; p < n; p++) total += row[p];
  return total;
}

const normalDensity = x => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);

// The probability that a normal number is below x, from a table with cubics in between.
function normalCdf(x) {
  if (!(Math.abs(x) < 8)) return x > 0 ? 1 : x < 0 ? 0 : NaN;
  const steps = 128, place = (x + 8) * steps, i = Math.floor(place), t = place - i;
  const low = NORMAL_CDF[i], high = NORMAL_CDF[i + 1];
  const slopeLow = NORMAL_DENSITY[i] / steps, slopeHigh = NORMAL_DENSITY[i + 1] / steps;
  const rise = high - low;
  return low + t * (slopeLow + t * (3 * rise - 2 * slopeLow - slopeHigh +
    t * (slopeLow + slopeHigh - 2 * rise)));
}

const NORMAL_DENSITY = Float64Array.from({ length: 16 * 128 + 2 }, (_, i) =>
  normalDensity(i / 128 - 8));
const NORMAL_CDF = new Float64Array(NORMAL_DENSITY.length);
for (let i = 1; i < NORMAL_CDF.length; i++) { // Simpson's rule from one place to the next
  const middle = normalDensity((i - 0.5) / 128 - 8);
  const three = NORMAL_DENSITY[i - 1] + 4 * middle + NORMAL_DENSITY[i];
  NORMAL_CDF[i] = NORMAL_CDF[i - 1] + three / (6 * 128);
}
