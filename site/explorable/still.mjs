// Prints the two figures of the first page as they look without scripts: node site/explorable/still.mjs
import * as draw from "./drawing.mjs";
import * as sam from "./sam.mjs";

const { RACE, LOOK, VIEW, SECTION, BALL } = draw;
const draws = sam.draw(draw.STEPS);
const walked = draw.race(RACE, draws);
const [columns, rows] = [72, 36];
const sharp = [0, RACE.rho].map((rho) =>
  [...draw.starts(columns, rows)].map((start) => Number(sam.sharpShare(sam.walk(start, { ...RACE, rho }, draws).at(-1)) > 0.5)),
);
const shares = sharp.map((each) => each.reduce((a, b) => a + b) / each.length);
const found = draw.look(LOOK);
const handle = `<circle class="reach" r="50"/><circle class="grip" r="13"/>`;

const knob = (id, label, low, high, by, value) => `
    <label for="${id}">${label} <output id="${id}-is" for="${id}"></output>
      <input type="range" id="${id}" min="${low}" max="${high}" step="${by}" value="${value}"></label>`;
// A picture, or a group, which may hold a handle: what is in a picture is not read out.
const shown = (box, name, role = "group") => `viewBox="0 0 ${box.width} ${box.height}" role="${role}" aria-label="${name}"`;

const map = `<svg id="map" ${shown(VIEW, "The landscape from above, with the ways of SGD and of SAM")}>
    <g>${draw.ground()}</g>
    <g id="basins">${draw.basin("sgd", sharp[0], columns, rows)}${draw.basin("sam", sharp[1], columns, rows)}</g>
    <g id="ways">${draw.ways(RACE, walked, draws)}</g>
    <g id="start" role="slider" tabindex="0" aria-label="the start: drag it, or use the arrow keys" aria-valuemin="-1.8" aria-valuemax="1.8">${handle}</g>
  </svg>`;
const cut = `<svg id="section" ${shown({ width: VIEW.width, height: SECTION.height }, "In section: the loss, and the worst loss within ρ", "img")}>${draw.section(RACE.rho)}</svg>`;

console.log(`<figure class="explorable" id="race">
  ${map}
  ${cut}
  <p class="key"><b class="sgd">SGD</b> goes down where it stands. <b class="sam">SAM</b> <b class="eps">looks uphill</b>, ρ far, to
  w + ε, finds the way down <i>there</i>, and takes that step from w.</p>
  <p class="told" id="race-told" aria-live="polite">${draw.told(RACE, walked, shares)}</p>
  <div class="knobs">
    <p class="hint">Drag the ring to start elsewhere, or change the settings:</p>
    <div class="play"><button type="button" id="play">▶ Race</button> <button type="button" id="again">↺ Again</button></div>
    ${knob("t", "step", 0, draw.STEPS, 1, RACE.t)}
    ${knob("rho", "radius ρ", 0, 0.5, 0.01, RACE.rho)}
    ${knob("eta", "step size η", 0.01, 0.12, 0.005, RACE.eta)}
    ${knob("noise", "noise of the batches σ", 0, 2, 0.1, RACE.noise)}
  </div>
  <p class="still">This is a still: with JavaScript one can drag the start, and turn ρ, η and the noise.</p>
</figure>
<!-- between -->
<figure class="explorable" id="look">
  <svg id="bowl" ${shown(BALL, "The ball around w, the single step, and the worst point")}>
    <g>${draw.bowl()}</g><g id="ball">${draw.ball(LOOK, found)}</g>
    <g id="middle" role="slider" tabindex="0" aria-label="w: drag it, or use the arrow keys" aria-valuemin="-1.6" aria-valuemax="1.6">${handle}</g>
  </svg>
  <p class="key"><b class="eps">● single step</b> by the formula; <b>○ worst point</b> of the ball.</p>
  <p class="told" id="look-told" aria-live="polite">${draw.toldOfBall(LOOK, found)}</p>
  <div class="knobs">
    <p class="hint">Drag the ring, or change the ball:</p>
    ${knob("p", "norm p", 0, 100, 1, 50)}
    ${knob("radius", "radius ρ", 0.05, 0.9, 0.01, LOOK.rho)}
  </div>
</figure>
<script type="module" src="_static/live.mjs"></script>`);
