// Makes the figures of the first page answer: to pointers and keys, without a library, and in pieces of some milliseconds.
import * as draw from "./drawing.mjs";
import * as sam from "./sam.mjs";

const $ = (id) => document.getElementById(id);
const draws = sam.draw(draw.STEPS);
const state = { ...draw.RACE };
const look = { ...draw.LOOK };
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
let [walked, shares, playing, work] = [draw.race(state, draws), undefined, false, undefined];

// --- the race --------------------------------------------------------------------------------------------------------

function show() {
  $("ways").innerHTML = draw.ways(state, walked, draws);
  $("t").value = state.t;
  $("t-is").value = state.t;
  $("rho-is").value = state.rho.toFixed(2);
  $("eta-is").value = state.eta.toFixed(3);
  $("noise-is").value = state.noise.toFixed(1);
  put($("start"), draw.placed(draw.VIEW)(state.start), state.start);
}

function put(handle, [x, y], [a, b]) {
  handle.setAttribute("transform", `translate(${x} ${y})`);
  handle.setAttribute("aria-valuenow", a.toFixed(2));
  handle.setAttribute("aria-valuetext", `${a.toFixed(2)}, ${b.toFixed(2)}`);
}

/** The ways anew, from a start or with settings that changed. */
function again() {
  walked = draw.race(state, draws);
  $("race-told").innerHTML = draw.told(state, walked, shares);
  show();
}

/** Also what depends on the settings alone: the section, and the shades. */
function set(name, value) {
  state[name] = value;
  if (name === "t") return show();
  if (name === "rho") $("section").innerHTML = draw.section(state.rho);
  shares = undefined;
  work = shading({ ...state });
  again();
}

/** Shades the starts from which SGD and SAM end sharp, first roughly, then finely. */
function* shading(settings) {
  for (const [columns, rows] of [[36, 18], [72, 36]]) {
    const sharp = [[], []];
    for (const start of draw.starts(columns, rows)) {
      for (const [k, rho] of [0, settings.rho].entries()) {
        const end = sam.walk(start, { ...settings, rho }, draws).at(-1);
        sharp[k].push(Number(sam.sharpShare(end) > 0.5));
      }
      yield;
    }
    shares = sharp.map((each) => each.reduce((a, b) => a + b) / each.length);
    $("basins").innerHTML = ["sgd", "sam"].map((kind, k) => draw.basin(kind, sharp[k], columns, rows)).join("");
  }
  $("race-told").innerHTML = draw.told(state, walked, shares);
}

function play(on) {
  playing = on;
  $("play").textContent = on ? "❚❚ Pause" : "▶ Race";
  if (on && state.t === draw.STEPS) state.t = 0;
}

let last = 0;
function frame(now) {
  if (playing && now - last > (state.t < 4 ? 600 : 45)) {
    last = now;
    set("t", Math.min(state.t + 1, draw.STEPS));
    if (state.t === draw.STEPS) play(false);
  }
  while (work && performance.now() - now < 7) if (work.next().done) work = undefined;
  requestAnimationFrame(frame);
}

// --- the ball --------------------------------------------------------------------------------------------------------

function showBall() {
  const found = draw.look(look);
  $("ball").innerHTML = draw.ball(look, found);
  $("look-told").innerHTML = draw.toldOfBall(look, found);
  $("p-is").value = draw.nameOf(look.p);
  $("radius-is").value = look.rho.toFixed(2);
  put($("middle"), draw.placed(draw.BALL)(look.w), look.w);
}

// --- hands -----------------------------------------------------------------------------------------------------------

/** A handle that pointers and arrow keys move within a picture; a click elsewhere in it fetches the handle. */
function movable(picture, handle, view, limits, get, move) {
  const within = (w) => w.map((each, k) => Math.max(-limits[k], Math.min(limits[k], each)));
  const at = (event) => {
    const box = picture.getBoundingClientRect();
    const scale = view.width / box.width;
    return draw.found(view)([(event.clientX - box.left) * scale, (event.clientY - box.top) * scale]);
  };
  picture.addEventListener("click", (event) => move(within(at(event))));
  handle.addEventListener("pointerdown", (event) => handle.setPointerCapture(event.pointerId));
  handle.addEventListener("pointermove", (event) => handle.hasPointerCapture(event.pointerId) && move(within(at(event))));
  const arrows = { ArrowLeft: [-0.05, 0], ArrowRight: [0.05, 0], ArrowUp: [0, 0.05], ArrowDown: [0, -0.05] };
  handle.addEventListener("keydown", (event) => {
    if (!arrows[event.key]) return;
    event.preventDefault();
    move(within(sam.plus(get(), arrows[event.key])));
  });
}

const listen = (id, then) => $(id).addEventListener("input", (event) => then(Number(event.target.value)));
for (const name of ["rho", "eta", "noise"]) listen(name, (value) => set(name, value));
listen("t", (value) => (play(false), set("t", value)));
$("play").addEventListener("click", () => play(!playing));
$("again").addEventListener("click", () => (set("t", 0), play(!still)));
movable($("map"), $("start"), draw.VIEW, [1.75, 0.85], () => state.start, (w) => ((state.start = w), again()));

listen("p", (value) => ((look.p = 1 / (1 - value / 100)), showBall()));
listen("radius", (value) => ((look.rho = value), showBall()));
movable($("bowl"), $("middle"), draw.BALL, [1.5, 1.2], () => look.w, (w) => ((look.w = w), showBall()));

document.body.classList.add("live");
work = shading({ ...state });
show();
showBall();
requestAnimationFrame(frame);
if (!still) {
  const seen = new IntersectionObserver(([entry]) => {
    if (!entry.isIntersecting) return;
    seen.disconnect();
    set("t", 0);
    play(true);
  });
  seen.observe($("map"));
}
