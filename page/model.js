// The two networks, as in model.py. The linear one and the other have the same linear layers and,
// for one seed, the same initial weights; the only difference is the activation function.

function buildModel(settings, inFeatures, outFeatures) {
  const { hiddenUnits, activation, dropout, batchNorm, seed } = settings;
  const random = new MersenneTwister(seed);
  const layers = [];
  let width = inFeatures;
  for (const units of hiddenUnits) {
    layers.push(new Linear(width, units, random));
    if (batchNorm) layers.push(new BatchNorm(units));
    if (activation) layers.push(new Activation(units, activation));
    if (dropout) layers.push(new Dropout(units, dropout, seed + layers.length));
    width = units;
  }
  layers.push(new Linear(width, outFeatures, random));
  return new Sequential(layers);
}

class Sequential {
  constructor(layers) {
    this.layers = layers;
    this.parameters = layers.flatMap(layer => layer.parameters ?? []);
    this.tensors = layers.flatMap(layer => layer.tensors ?? []); // the parameters, and statistics
    layers[0].first = true; // nothing before it asks for a gradient
  }

  forward(x, n, training = false) {
    for (const layer of this.layers) x = layer.forward(x, n, training);
    return x;
  }

  backward(gradient, n) {
    for (let i = this.layers.length - 1; i >= 0; i--) {
      gradient = this.layers[i].backward(gradient, n);
    }
  }
}
