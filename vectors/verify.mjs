// Hold an implementation of SAM against the vectors: node vectors/verify.mjs. Yours takes the place of this.
import { readFileSync } from "node:fs";

const read = (name) => JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8"));
const sum = (a) => a.reduce((s, v) => s + v, 0);
const norm = (a, p) => (p === Infinity ? Math.max(...a.map(Math.abs)) : sum(a.map((v) => Math.abs(v) ** p)) ** (1 / p));

// ε = ρ d/‖d‖_p with d = sign(g) |g|^(q−1), of g over its largest entry; 0 for g = 0
function epsilon(g, rho, p) {
  const size = norm(g, Infinity) || 1;
  const power = (a) => (p === 1 ? Number(a === 1) : a ** (1 / (p - 1)));
  const d = g.map((v) => Math.sign(v) * power(Math.abs(v) / size));
  const length = norm(d, p) || 1;
  return d.map((v) => (rho * v) / length);
}

// loss and gradient; w = W (3, 4) row by row, then b (4)
function softmaxRegression(w, x, y) {
  let loss = 0;
  const g = w.map(() => 0);
  x.forEach((row, k) => {
    const e = [0, 1, 2, 3].map((c) => Math.exp(w[12 + c] + sum(row.map((v, i) => v * w[4 * i + c]))));
    loss -= Math.log(e[y[k]] / sum(e)) / x.length;
    e.forEach((v, c) => {
      const dz = (v / sum(e) - Number(c === y[k])) / x.length;
      [...row, 1].forEach((input, i) => (g[4 * i + c] += input * dz));
    });
  });
  return [loss, g];
}

function agree(a, b, what) {
  const gap = norm(a.map((v, i) => v - b[i]), Infinity);
  if (a.length !== b.length || !(gap <= 1e-10 * norm(b, Infinity))) throw new Error(`${what}: ${a} should be ${b}`);
}

const order = (p) => (p === "inf" ? Infinity : p);
for (const { name, g, rho, p, epsilon: expected } of read("epsilon.json").cases) {
  const replicas = Array.isArray(g[0]) ? g : [g];
  replicas.forEach((one, k) => {
    const found = epsilon(one, Array.isArray(rho) ? rho[k][0] : rho, order(p));
    agree(found, Array.isArray(g[0]) ? expected[k] : expected, `${name}, p = ${p}`);
  });
}
for (const name of ["sam", "sam-with-l2", "sam-with-p-1", "sam-with-p-1.5", "sam-with-p-3", "sam-with-p-inf"]) {
  const { optimizer: s, problem, batches, lr, w: start, steps } = read(`sam/${name}.json`);
  let w = start;
  let v = w.map(() => 0);
  steps.forEach((step, t) => {
    const on = (at) => softmaxRegression(at, batches[t].map((i) => problem.x[i]), batches[t].map((i) => problem.y[i]));
    const [loss, g] = on(w);
    const eps = epsilon(g, s.rho, order(s.p));
    const gAdv = on(w.map((a, i) => a + eps[i]))[1];
    v = v.map((a, i) => s.base.momentum * a + gAdv[i] + 2 * (s.l2 + s.base.l2) * w[i]);
    w = w.map((a, i) => a - lr[t] * v[i]);
    agree([loss], [step.loss], `${name}, loss of step ${t}`);
    agree(eps, step.eps[1], `${name}, ε of step ${t}`);
    agree(w, step.w, `${name}, weights after step ${t}`);
  });
}
console.log("epsilon and SAM over SGD agree with the vectors");
