// The arithmetic of the first page: a landscape, SGD, SAM, the ball and its maximum. No drawing, no page; plain numbers.
//
// tests/browser/explorable.test.mjs holds it against minisam. The landscape is that of figures/sam.py.

export const SHARP = [-1, 0];
export const FLAT = [1, 0];
const ACROSS = [Math.cos(0.4), Math.sin(0.4)]; // the axes of the sharp bowl
const ALONG = [-Math.sin(0.4), Math.cos(0.4)];
export const CURVATURES = [16, 5]; // of the sharp bowl; that of the flat one is 2
const SMOOTHED = 0.05; // over this difference of height the two bowls are joined

const dot = (a, b) => a[0] * b[0] + a[1] * b[1];
const minus = (a, b) => [a[0] - b[0], a[1] - b[1]];
export const plus = (a, b) => [a[0] + b[0], a[1] + b[1]];
export const times = (c, a) => [c * a[0], c * a[1]];
export const length = (a) => Math.sqrt(dot(a, a));

// --- the landscape ---------------------------------------------------------------------------------------------------

/** Both bowls at w: their heights, and their gradients. */
function bowls(w) {
  const [u, v] = [minus(w, SHARP), minus(w, FLAT)];
  const [a, b] = [dot(u, ACROSS), dot(u, ALONG)];
  return {
    heights: [(CURVATURES[0] * a * a + CURVATURES[1] * b * b) / 2, dot(v, v)],
    gradients: [plus(times(CURVATURES[0] * a, ACROSS), times(CURVATURES[1] * b, ALONG)), times(2, v)],
  };
}

/** L(w): the lower of the two bowls, smoothed where they meet. */
export function loss(w) {
  const [s, f] = bowls(w).heights;
  return Math.min(s, f) - SMOOTHED * Math.log1p(Math.exp(-Math.abs(s - f) / SMOOTHED));
}

/** How much of the sharp bowl there is at w, 0 to 1. */
export function sharpShare(w) {
  const [s, f] = bowls(w).heights;
  return 1 / (1 + Math.exp((s - f) / SMOOTHED));
}

/** ∇L(w). */
export function gradient(w) {
  const share = sharpShare(w);
  const [s, f] = bowls(w).gradients;
  return plus(times(share, s), times(1 - share, f));
}

// --- the step --------------------------------------------------------------------------------------------------------

/** ‖a‖_p, 1 ≤ p ≤ ∞. */
export function norm(a, p) {
  const [x, y] = [Math.abs(a[0]), Math.abs(a[1])];
  const most = Math.max(x, y);
  if (p === Infinity || most === 0) return most;
  return most * ((x / most) ** p + (y / most) ** p) ** (1 / p);
}

/** ε = ρ d/‖d‖_p with d = sign(g)|g|^(q−1), 1/p + 1/q = 1: the worst point of the ball, to first order. */
export function epsilon(g, rho, p = 2) {
  const most = norm(g, Infinity);
  if (most === 0) return [0, 0];
  const power = (share) => (share === 0 || share === 1 ? share : share ** (p === 1 ? Infinity : 1 / (p - 1))); // q − 1
  const d = g.map((each) => Math.sign(each) * (p === Infinity ? 1 : power(Math.abs(each) / most)));
  return times(rho / norm(d, p), d);
}

/** One step of SAM, and how it was found; of SGD, if ρ = 0. The noise is that of the batch, the same at w and at w + ε. */
export function step(w, { rho, eta, noise = 0 }, xi = [0, 0]) {
  const batch = (at) => plus(gradient(at), times(noise, xi));
  const g = batch(w);
  const eps = epsilon(g, rho);
  const move = times(-eta, rho ? batch(plus(w, eps)) : g);
  return { w, eps, move, next: plus(w, move) };
}

/** The weights before each step, and after the last one. */
export function walk(start, settings, draws) {
  const way = [start];
  for (const xi of draws) way.push(step(way.at(-1), settings, xi).next);
  return way;
}

/** Normal random numbers for so many steps, the same on each call. */
export function draw(steps, seed = 1) {
  let state = seed;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0; // mulberry32
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return Array.from({ length: steps }, () => {
    const [radius, angle] = [Math.sqrt(-2 * Math.log(1 - uniform())), 2 * Math.PI * uniform()];
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

// --- the exact maximum -----------------------------------------------------------------------------------------------

/** The ε on the rim of the ball where f(ε) is largest. Neither loss of this page is ever larger inside. */
export function worst(f, rho, p = 2, angles = 64) {
  const at = (angle) => {
    const e = [Math.cos(angle), Math.sin(angle)];
    return times(rho / norm(e, p), e);
  };
  const height = (angle) => f(at(angle));
  const apart = (2 * Math.PI) / angles;
  let best = 0;
  for (let k = 1; k < angles; k++) if (height(k * apart) > height(best)) best = k * apart;
  const found = highest(height, best - apart, best + apart);
  return at(height(found) > height(best) ? found : best); // the corners of p = 1 and p = ∞ are among the angles
}

/** Where a function with one top is largest, by golden section. */
function highest(f, low, high) {
  const part = (Math.sqrt(5) - 1) / 2;
  for (let k = 0; k < 60; k++) {
    const [a, b] = [high - part * (high - low), low + part * (high - low)];
    if (f(a) > f(b)) high = b;
    else low = a;
  }
  return (low + high) / 2;
}

/** max L(w + ε) over ‖ε‖ ≤ ρ, on a fine grid of the rim; where it is drawn, a finer one looks the same. */
export function worstLoss(w, rho, angles = 48) {
  let most = loss(w);
  for (let k = 0; rho && k < angles; k++) {
    const angle = (2 * Math.PI * k) / angles;
    most = Math.max(most, loss([w[0] + rho * Math.cos(angle), w[1] + rho * Math.sin(angle)]));
  }
  return most;
}

/** ½ wᵀHw for H with these curvatures along and across a direction; and its gradient. */
export function quadratic([along, across], angle) {
  const [u, v] = [[Math.cos(angle), Math.sin(angle)], [-Math.sin(angle), Math.cos(angle)]];
  return {
    loss: (w) => (along * dot(w, u) ** 2 + across * dot(w, v) ** 2) / 2,
    gradient: (w) => plus(times(along * dot(w, u), u), times(across * dot(w, v), v)),
  };
}
