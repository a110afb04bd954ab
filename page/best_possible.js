// The accuracy that no classifier can beat on average; null where it isn't known.
function bestPossibleAccuracy({ data, noise, factor, classes }) {
  if (!["circles", "xor", "gaussians", "blobs"].includes(data)) return null;
  if (noise === 0) return 1;
  if (data === "circles") return bestOnCircles(noise, factor);
  if (data === "blobs") return bestOnBlobs(noise, classes);
  const p = normalCdf(1 / noise); // that a sign, or a side, is right
  return data === "xor" ? p ** 2 + (1 - p) ** 2 : p;
}

// The distance of a noisy point of a circle from the center follows the Rice distribution; the best
// classifier errs where the two densities overlap.
function bestOnCircles(noise, factor) {
  const low = Math.max(0, 1 - 12 * noise), high = factor + 12 * noise;
  if (low >= high) return 1;
  const density = (r, v) => (r / noise ** 2) * Math.exp(-((r - v) ** 2) / (2 * noise ** 2)) *
    scaledBessel((r * v) / noise ** 2);
  return 1 - trapezoids(r => Math.min(density(r, 1), density(r, factor)), low, high, 4000) / 2;
}

// The modified Bessel function I0(x), times exp(-x) so that it doesn't overflow.
function scaledBessel(x) {
  if (x > 30) { // its asymptotic series
    let term = 1, total = 1;
    for (let k = 1; k <= 6; k++) total += term *= (2 * k - 1) ** 2 / (8 * k * x);
    return total / Math.sqrt(2 * Math.PI * x);
  }
  return trapezoids(angle => Math.exp(x * (Math.cos(angle) - 1)), 0, Math.PI, 40) / Math.PI;
}

// The nearest center is the likeliest, so an error is a point outside its center's sector.
function bestOnBlobs(noise, classes) {
  const sector = Math.PI / classes, distance = Math.sin(sector) / noise;
  const inside = angle =>
    (angle === 0 ? 0 : Math.exp(-(distance ** 2) / (2 * Math.sin(angle) ** 2)));
  return 1 - trapezoids(inside, 0, Math.PI - sector, 4000) / Math.PI;
}

function trapezoids(of, low, high, steps) {
  let total = (of(low) + of(high)) / 2;
  for (let i = 1; i < steps; i++) total += of(low + ((high - low) * i) / steps);
  return (total * (high - low)) / steps;
}
