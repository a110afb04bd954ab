// Random numbers as torch and numpy draw them, so that a seed begins here as it does in train.py.

// The Mersenne Twister (M. Matsumoto and T. Nishimura, "Mersenne Twister", 1998), which both use.
class MersenneTwister {
  constructor(seed) {
    this.state = new Uint32Array(624);
    this.state[0] = seed;
    for (let i = 1; i < 624; i++) {
      const last = this.state[i - 1] ^ (this.state[i - 1] >>> 30);
      this.state[i] = Math.imul(1812433253, last) + i;
    }
    this.place = 624;
    this.spareNormal = null;
  }

  // A whole number of 32 bits.
  next() {
    if (this.place === 624) this.twist();
    let y = this.state[this.place++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  twist() {
    const state = this.state;
    for (let i = 0; i < 624; i++) {
      const y = (state[i] & 0x80000000) | (state[(i + 1) % 624] & 0x7fffffff);
      state[i] = state[(i + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.place = 0;
  }

  // As torch's tensor.uniform_(-bound, bound) of float32: 24 random bits.
  uniform(bound) {
    const low = Math.fround(-bound), width = Math.fround(Math.fround(bound) - low);
    return Math.fround((this.next() & 0xffffff) * 2 ** -24 * width + low);
  }

  // As torch.randperm(n).
  torchPermutation(order) {
    const n = order.length;
    for (let i = 0; i < n; i++) order[i] = i;
    for (let i = 0; i < n - 1; i++) {
      const other = i + (this.next() % (n - i));
      [order[i], order[other]] = [order[other], order[i]];
    }
    return order;
  }

  // From 0 to below 1, with 53 random bits, as numpy.random.RandomState(seed).random().
  random() {
    const high = this.next() >>> 5, low = this.next() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  // As RandomState.normal(): G. Marsaglia's polar method, which makes two at a time.
  normal() {
    if (this.spareNormal !== null) {
      const spare = this.spareNormal;
      this.spareNormal = null;
      return spare;
    }
    let x, y, square;
    do {
      x = 2 * this.random() - 1;
      y = 2 * this.random() - 1;
      square = x * x + y * y;
    } while (square >= 1 || square === 0);
    const factor = Math.sqrt((-2 * Math.log(square)) / square);
    this.spareNormal = factor * x;
    return factor * y;
  }

  // As RandomState.shuffle(items).
  shuffle(items) {
    for (let i = items.length - 1; i > 0; i--) {
      const mask = 2 ** (32 - Math.clz32(i)) - 1;
      let other;
      do other = (this.next() & mask) >>> 0; while (other > i);
      [items[i], items[other]] = [items[other], items[i]];
    }
    return items;
  }
}

// As numpy.random.default_rng(seed): PCG64 (M. O'Neill, "PCG", 2014), seeded by a SeedSequence.
class Pcg64 {
  constructor(seed) {
    const words = seedSequence(seed, 8).map(BigInt);
    const [high, low, streamHigh, streamLow] =
      [0, 2, 4, 6].map(i => words[i] | (words[i + 1] << 32n));
    this.increment = bits128((((streamHigh << 64n) | streamLow) << 1n) | 1n);
    this.state = bits128(this.increment + ((high << 64n) | low));
    this.advance();
  }

  advance() {
    this.state = bits128(this.state * 0x2360ed051fc65da44385df649fccf645n + this.increment);
  }

  // A whole number of 64 bits.
  next() {
    this.advance();
    const mixed = BigInt.asUintN(64, this.state ^ (this.state >> 64n));
    const turn = this.state >> 122n;
    return BigInt.asUintN(64, (mixed >> turn) | (mixed << (64n - turn)));
  }

  random() {
    return Number(this.next() >> 11n) / 2 ** 53;
  }

  // G. Marsaglia and W. W. Tsang, "The Ziggurat Method for Generating Random Variables", 2000.
  normal() {
    const { x, height, inside } = ziggurat();
    for (;;) {
      const bits = this.next();
      const layer = Number(bits & 0xffn), sign = (bits >> 8n) & 1n ? -1 : 1;
      const place = Number((bits >> 9n) & 0xfffffffffffffn);
      const value = sign * place * (x[layer] / 2 ** 52);
      if (place < inside[layer]) return value;
      if (layer === 0) {
        for (;;) {
          const beyond = -Math.log1p(-this.random()) / ZIGGURAT_END;
          const other = -Math.log1p(-this.random());
          if (2 * other > beyond * beyond) {
            return (place / 256) & 1 ? -(ZIGGURAT_END + beyond) : ZIGGURAT_END + beyond;
          }
        }
      }
      const between = (height[layer - 1] - height[layer]) * this.random() + height[layer];
      if (between < Math.exp(-0.5 * value * value)) return value;
    }
  }
}

const bits128 = number => BigInt.asUintN(128, number);
const ZIGGURAT_END = 3.6541528853610088; // where the lowest of 256 layers of equal area ends

function ziggurat() {
  if (ziggurat.tables) return ziggurat.tables;
  const density = x => Math.exp(-0.5 * x * x);
  const area = 0.00492867323397465495;
  const x = new Float64Array(256), height = new Float64Array(256), inside = new Float64Array(256);
  x[255] = ZIGGURAT_END;
  for (let i = 254; i > 0; i--) {
    x[i] = Math.sqrt(-2 * Math.log(area / x[i + 1] + density(x[i + 1])));
  }
  x[0] = area / density(ZIGGURAT_END);
  for (let i = 0; i < 256; i++) {
    height[i] = i === 0 ? 1 : density(x[i]);
    const narrower = i === 0 ? ZIGGURAT_END : i === 1 ? 0 : x[i - 1];
    inside[i] = Math.floor((narrower / x[i]) * 2 ** 52);
  }
  ziggurat.tables = { x, height, inside };
  return ziggurat.tables;
}

// As numpy.random.SeedSequence(seed).generate_state(count), with a pool of four words.
function seedSequence(seed, count) {
  let hash = 0x43b0d7e5;
  const mix = value => {
    value ^= hash;
    hash = Math.imul(hash, 0x931e8875);
    value = Math.imul(value, hash);
    return (value ^ (value >>> 16)) >>> 0;
  };
  const pool = [seed, 0, 0, 0].map(mix);
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) {
      if (from === to) continue;
      const mixed = Math.imul(pool[to], 0xca01f9dd) - Math.imul(mix(pool[from]), 0x4973f715);
      pool[to] = (mixed ^ (mixed >>> 16)) >>> 0;
    }
  }
  hash = 0x8b51f9dd;
  const words = [];
  for (let i = 0; i < count; i++) {
    let value = pool[i % 4] ^ hash;
    hash = Math.imul(hash, 0x58f38ded);
    value = Math.imul(value, hash);
    words.push((value ^ (value >>> 16)) >>> 0);
  }
  return words;
}
