// What the first page shows, as SVG: text out of numbers, the same in the still that the build draws and in the live page.
import * as sam from "./sam.mjs";

export const STEPS = 200;
export const VIEW = { width: 720, height: 360, scale: 200 }; // the map; x from −1.8 to 1.8, y from −0.9 to 0.9
export const SECTION = { height: 180, ground: 150, scale: 72 }; // beneath it, with the same x
export const BALL = { width: 540, height: 300, scale: 105 };
export const QUADRATIC = { curvatures: [0.8, 3.2], angle: 0.5 };
export const RACE = { start: [-1.2, 0.3], rho: 0.22, eta: 0.11, noise: 0, t: 0 }; // as in figures/sam.py
export const LOOK = { w: [0.45, 0.45], rho: 0.55, p: 2 };
const GROUND = Array.from({ length: 12 }, (_, k) => ((k + 1) * 0.135) ** 2);

const round = (x) => String(Math.round(10 * x) / 10);
const point = ([x, y]) => `${round(x)} ${round(y)}`;
export const line = (points) => (points.length ? `M${points.map(point).join("L")}` : "");
export const placed = (view) => ([x, y]) => [view.width / 2 + view.scale * x, view.height / 2 - view.scale * y];
export const found = (view) => ([x, y]) => [(x - view.width / 2) / view.scale, (view.height / 2 - y) / view.scale];
const onMap = placed(VIEW);

// --- marks -----------------------------------------------------------------------------------------------------------

const path = (kind, d) => `<path class="${kind}" d="${d}"/>`;
const circle = (kind, at, r) => `<circle class="${kind}" cx="${round(at[0])}" cy="${round(at[1])}" r="${round(r)}"/>`;
const text = (kind, at, words) => `<text class="${kind}" x="${round(at[0])}" y="${round(at[1])}">${words}</text>`;
const dots = (kind, points) => path(`dots ${kind}`, points.map((each) => `M${point(each)}h0`).join(""));

/** A line with a head, nothing where it has no length. */
function arrow(kind, from, to) {
  const far = Math.hypot(to[0] - from[0], to[1] - from[1]);
  if (far < 1) return "";
  const [u, v] = [(to[0] - from[0]) / far, (to[1] - from[1]) / far];
  const head = Math.min(11, far);
  const wing = (side) => [to[0] - head * u - side * 0.5 * head * v, to[1] - head * v + side * 0.5 * head * u];
  return path(`arrow ${kind}`, line([from, to]) + line([wing(1), to, wing(-1)]));
}

/** Where the values of a grid are below a level: closed lines, as one path. `at(i, j)` is the place of a value. */
export function below(values, columns, rows, level, at) {
  const value = (i, j) => (i < 0 || j < 0 || i >= columns || j >= rows ? level + 1 : values[j * columns + i]);
  const next = new Map();
  const cut = new Map();
  for (let j = -1; j < rows; j++) {
    for (let i = -1; i < columns; i++) {
      const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
      const sides = corners.map((from, k) => crossing(from, corners[(k + 1) % 4], value, level));
      for (const [k, side] of sides.entries()) {
        if (!side?.leaves) continue;
        const end = [1, 2, 3].map((more) => sides[(k + more) % 4]).find((other) => other && !other.leaves);
        next.set(side.name, end.name);
        cut.set(side.name, at(...side.place));
      }
    }
  }
  return loops(next).map((loop) => `${line(loop.map((name) => cut.get(name)))}Z`).join("");
}

/** Where a side of a cell crosses the level, and whether it leaves what is below it. */
function crossing(from, to, value, level) {
  const [a, b] = [value(...from), value(...to)];
  if (a < level === b < level) return undefined;
  const part = (level - a) / (b - a);
  const name = [from, to].map(String).sort().join(" ");
  return { name, leaves: a < level, place: [from[0] + part * (to[0] - from[0]), from[1] + part * (to[1] - from[1])] };
}

function loops(next) {
  const found = [];
  while (next.size) {
    const loop = [];
    for (let name = next.keys().next().value; next.has(name); ) {
      loop.push(name);
      const after = next.get(name);
      next.delete(name);
      name = after;
    }
    found.push(loop);
  }
  return found;
}

// --- the race --------------------------------------------------------------------------------------------------------

/** The landscape from above. */
export function ground(columns = 121, rows = 65) {
  const at = (i, j) => [-20 + (i * 760) / (columns - 1), -20 + (j * 400) / (rows - 1)];
  const values = [];
  for (let j = 0; j < rows; j++) for (let i = 0; i < columns; i++) values.push(sam.loss(found(VIEW)(at(i, j))));
  const bands = GROUND.map((level) => path("band", below(values, columns, rows, level, at))).join("");
  const names = [["sharp minimum", sam.SHARP], ["flat minimum", sam.FLAT]];
  return bands + names.map(([words, at]) => text("name", onMap([at[0], -0.78]), words)).join("");
}

/** The starts of a grid, row by row. */
export function* starts(columns, rows) {
  for (let j = 0; j < rows; j++) for (let i = 0; i < columns; i++) yield found(VIEW)(cell(columns, rows)(i, j));
}
const cell = (columns, rows) => (i, j) => [((i + 0.5) * VIEW.width) / columns, ((j + 0.5) * VIEW.height) / rows];

/** The starts from which a method ends sharp: `sharp` says 1 or 0 of each start of a grid. */
export const basin = (kind, sharp, columns, rows) =>
  path(`basin ${kind}`, below(sharp.map((each) => 1 - each), columns, rows, 0.5, cell(columns, rows)));

export const race = (state, draws) => ({
  sgd: sam.walk(state.start, { ...state, rho: 0 }, draws),
  sam: sam.walk(state.start, state, draws),
});

/** The ways of both, up to step t and faintly beyond, and how SAM finds the step after it. */
export function ways(state, { sgd, sam: ofSam }, draws) {
  const way = (kind, points) => {
    const places = points.map(onMap);
    const done = places.slice(0, state.t + 1);
    return path(`ahead ${kind}`, line(places)) + path(`way ${kind}`, line(done)) + dots(kind, done);
  };
  const [a, b] = [sgd, ofSam].map((points) => onMap(points[state.t]));
  const heads = circle("head sgd", a, 9) + circle("head sam", b, 9);
  return way("sgd", sgd) + way("sam", ofSam) + step(state, ofSam[state.t], draws[Math.min(state.t, STEPS - 1)]) + heads;
}

/** The ball, ε, the way down that is found at w + ε, and the same from w. The last two are arrows of a length to be seen. */
function step(state, w, xi) {
  if (!state.rho) return "";
  const { eps, move } = sam.step(w, state, xi);
  const [from, up] = [onMap(w), onMap(sam.plus(w, eps))];
  const far = sam.length(move) || 1;
  const shown = Math.max(42, VIEW.scale * far) / far;
  const down = (place) => [place[0] + shown * move[0], place[1] - shown * move[1]];
  const away = sam.times(1 / (sam.length(eps) || 1), eps);
  const beside = [up[0] + 34 * away[0], up[1] - 24 * away[1] + 6];
  const marks = [circle("ball", from, VIEW.scale * state.rho), arrow("eps", from, up), arrow("down there", up, down(up))];
  return [...marks, arrow("down", from, down(from)), circle("up", up, 6), text("up", beside, "w + ε")].join("");
}

/** The loss, and the worst loss within ρ, along the line through both minima. */
export function section(rho, points = 181) {
  const xs = Array.from({ length: points }, (_, k) => -1.8 + (3.6 * k) / (points - 1));
  const place = (x, height) => [onMap([x, 0])[0], SECTION.ground - SECTION.scale * height];
  const low = xs.map((x) => place(x, sam.loss([x, 0])));
  const worst = xs.map((x) => place(x, sam.worstLoss([x, 0], rho)));
  const area = `${line(low)}L720 ${SECTION.height}L0 ${SECTION.height}Z`;
  const rises = [sam.SHARP, sam.FLAT].map((at) => rise(place, at, rho));
  const told = text("loss", place(0.25, -0.16), "loss") + text("worst", [onMap(sam.FLAT)[0], 50], "worst loss within ρ");
  return [path("area", area), path("loss", line(low)), path("worst", line(worst)), ...rises, told].join("");
}

/** How much worse it gets around a minimum. */
function rise(place, at, rho) {
  const height = sam.worstLoss(at, rho);
  const top = place(at[0], height);
  return path("rise", line([place(at[0], 0), top])) + text("rise", [top[0], SECTION.ground + 22], `+${height.toFixed(2)}`);
}

// --- the ball --------------------------------------------------------------------------------------------------------

/** What a look with this p finds: the single step, and the worst point. */
export function look({ w, rho, p }) {
  const f = sam.quadratic(QUADRATIC.curvatures, QUADRATIC.angle);
  const rises = (eps) => f.loss(sam.plus(w, eps)) - f.loss(w);
  const g = f.gradient(w);
  const [single, worst] = [sam.epsilon(g, rho, p), sam.worst(rises, rho, p)];
  return { g, single, worst, rises: { single: rises(single), worst: rises(worst) } };
}

const onBall = placed(BALL);

/** The contours of the quadratic, which are ellipses. */
export function bowl() {
  const [cx, cy] = onBall([0, 0]);
  const turn = (-180 / Math.PI) * QUADRATIC.angle;
  const radii = (height) => QUADRATIC.curvatures.map((curvature) => round(BALL.scale * Math.sqrt((2 * height) / curvature)));
  const ellipse = ([rx, ry]) => `<ellipse class="band" cx="${cx}" cy="${cy}" rx="${rx}" ry="${ry}" transform="rotate(${round(turn)} ${cx} ${cy})"/>`;
  return [0.02, 0.1, 0.25, 0.5, 0.85, 1.3, 1.9, 2.6].map((height) => ellipse(radii(height))).join("");
}

export function ball({ w, rho, p }, { single, worst }) {
  const rim = Array.from({ length: 256 }, (_, k) => {
    const e = [Math.cos((Math.PI * k) / 128), Math.sin((Math.PI * k) / 128)];
    return onBall(sam.plus(w, sam.times(rho / sam.norm(e, p), e)));
  });
  const [from, up, top] = [onBall(w), onBall(sam.plus(w, single)), onBall(sam.plus(w, worst))];
  const marks = [path("ball", `${line(rim)}Z`), arrow("eps", from, up), circle("worst", top, 10), circle("up", up, 6)];
  return [...marks, circle("head sam", from, 8)].join("");
}

// --- words -----------------------------------------------------------------------------------------------------------

const ending = (way) => (sam.sharpShare(way.at(-1)) > 0.5 ? "sharp" : sam.length(sam.plus(way.at(-1), [-1, 0])) < 0.3 ? "flat" : "");
const place = (way) => (ending(way) ? `in the <b>${ending(way)}</b> minimum` : "<b>under way</b>");

/** What came out of the race; `shares` are the parts of the map from which SGD and SAM end sharp, once they are known. */
export function told(state, { sgd, sam: ofSam }, shares) {
  const ends = `After ${STEPS} steps <b class="sgd">SGD</b> is ${place(sgd)}, <b class="sam">SAM</b> ${place(ofSam)}.`;
  if (!shares) return ends;
  const [a, b] = shares.map((share) => `${Math.round(100 * share)} %`);
  const all = `Of all starts on the map, <b class="sgd">SGD</b> ends sharp from ${a}, <b class="sam">SAM</b> from ${b} (shaded)`;
  const long = `η times the sharp curvature, ${sam.CURVATURES[0]}, is ${(state.eta * sam.CURVATURES[0]).toFixed(2)}`;
  if (!state.rho) return `${ends} With ρ = 0 both are the same. ${all}.`;
  const gains = shares[1] < shares[0] - 0.02;
  return `${ends} ${all}: ${gains ? `these steps throw SAM out of the sharp minimum, and not SGD` : `SAM gains nothing here. Longer steps would throw it out, or noise`}; ${long}.`;
}

export function toldOfBall({ p }, { rises }) {
  const share = rises.worst ? rises.single / rises.worst : 1;
  const shape = p === 1 ? "one weight takes all of ρ" : p === Infinity ? "every weight moves by ρ" : "all weights share ρ";
  return `Within this ball ${shape}. The single step rises by <b class="eps">${rises.single.toFixed(3)}</b>, the worst point by <b>${rises.worst.toFixed(3)}</b>: the step finds ${(100 * share).toFixed(1)} % of it.`;
}

export const nameOf = (p) => (p === Infinity ? "∞" : p.toFixed(2).replace(/\.?0+$/, ""));
