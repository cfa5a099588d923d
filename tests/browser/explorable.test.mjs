// The first page: its numbers are minisam's, it answers to pointer and keys, it is light, and it says all of it without scripts.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch, open, ROOT, screenshot, serve } from "./browser.mjs";

const PYTHON = join(process.env.MINISAM_VENV ?? join(ROOT, ".venv"), "bin/python");
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const STILL = { reducedMotion: "reduce" };

let server, browser;
before(async () => ([server, browser] = await Promise.all([serve(), launch()])));
after(() => Promise.all([server.close(), browser.close()]));

const text = (page, id) => page.locator(`#${id}`).textContent();
const close = (a, b, what) => assert.ok(Math.abs(a - b) <= 1e-12, `${what}: ${a} on the page, ${b} in minisam`);

test("its arithmetic is minisam's", async () => {
  const truth = JSON.parse(execFileSync(PYTHON, [join(ROOT, "tests/browser/explorable.py")], { cwd: ROOT }));
  const { page, problems } = await open(browser, STILL);
  await page.goto(server.url);
  const found = await page.evaluate(async ({ ways, looks }) => {
    const sam = await import("./_static/sam.mjs");
    const draw = await import("./_static/drawing.mjs");
    const { look } = draw;
    return {
      ways: ways.map(({ start, settings, draws }) => sam.walk(start, settings, draws)),
      looks: looks.map(({ w, rho, p }) => look({ w, rho, p: p ?? Infinity })),
    };
  }, truth);
  for (const [k, { way, settings }] of truth.ways.entries()) {
    assert.equal(way.length, 201);
    way.forEach((w, t) => w.forEach((each, i) => close(found.ways[k][t][i], each, `${JSON.stringify(settings)}, step ${t}`)));
  }
  for (const [k, { eps, rises, ...what }] of truth.looks.entries()) {
    const name = JSON.stringify(what);
    eps.forEach((each, i) => close(found.looks[k].single[i], each, `ε of ${name}`));
    close(found.looks[k].rises.single, rises["single-step"], `the rise by one step, ${name}`);
    if ("exact" in rises) close(found.looks[k].rises.worst, rises.exact, `the worst rise, ${name}`);
    assert.ok(found.looks[k].rises.worst >= found.looks[k].rises.single - 1e-12, name);
  }
  assert.deepEqual(problems, []);
});

test("it answers to sliders, keys, and a pointer", async () => {
  const { page, problems } = await open(browser, STILL);
  await page.goto(server.url);
  await page.locator("#race-told", { hasText: "SGD ends sharp from" }).waitFor();
  assert.match(await text(page, "race-told"), /SGD is in the sharp minimum, SAM in the flat minimum/);
  await page.locator("#rho").fill("0");
  assert.match(await text(page, "race-told"), /SGD is in the sharp minimum, SAM in the sharp minimum/);
  await page.locator("#start").focus();
  const before = await page.locator("#start").getAttribute("aria-valuetext");
  for (let k = 0; k < 12; k++) await page.keyboard.press("ArrowRight");
  assert.notEqual(await page.locator("#start").getAttribute("aria-valuetext"), before);
  const map = await page.locator("#map").boundingBox();
  await page.locator("#map").click({ position: { x: 0.9 * map.width, y: 0.5 * map.height } });
  assert.match(await text(page, "race-told"), /SGD is in the flat minimum, SAM in the flat minimum/);
  await page.locator("#p").fill("100");
  assert.match(await text(page, "look-told"), /every weight moves by ρ/);
  assert.equal(await text(page, "p-is"), "∞");
  assert.deepEqual(problems, []);
});

test("a finger drags the start, and the race runs", async () => {
  const { page, problems } = await open(browser, PHONE);
  await page.goto(server.url);
  await page.locator("#map").scrollIntoViewIfNeeded();
  await page.waitForFunction(() => Number(document.getElementById("t").value) > 2);
  const map = await page.locator("#map").boundingBox();
  await page.touchscreen.tap(map.x + 0.8 * map.width, map.y + 0.3 * map.height);
  assert.match(await text(page, "race-told"), /SGD is in the flat minimum/);
  await screenshot(page, "explorable-phone");
  assert.deepEqual(problems, []);
});

test("without scripts it is a still, and whole", async () => {
  const { page } = await open(browser, { javaScriptEnabled: false });
  await page.goto(server.url);
  assert.match(await text(page, "race-told"), /SGD is in the sharp minimum, SAM in the flat minimum/);
  assert.ok((await page.locator("#map path").count()) > 10);
  assert.ok(await page.locator(".still").isVisible());
  assert.ok(!(await page.locator("#rho").isVisible()));
});

test("it is light, and one click leads on", async () => {
  const { page, problems } = await open(browser);
  const answers = [];
  page.on("response", (answer) => answers.push(answer));
  await page.goto(server.url, { waitUntil: "networkidle" });
  const sizes = await Promise.all(answers.map((answer) => answer.body().then((body) => body.length)));
  assert.ok(answers.length <= 12, answers.map((answer) => answer.url()).join("\n"));
  assert.ok(sizes.reduce((a, b) => a + b) <= 400_000, `${sizes}`);
  const links = await page.locator("nav.ways a").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
  for (const link of ["lessons/00_start_here.html", "evidence/index.html", "conformance.html", "code.html"]) {
    assert.ok(links.includes(link), link);
  }
  assert.deepEqual(problems, []);
});
