// The pages: each loads without an error and from nowhere else, its links and their anchors resolve, it fits a phone.
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch, open, screenshot, serve, SITE } from "./browser.mjs";

const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 };
const pagesIn = (folder) => readdirSync(join(SITE, folder)).filter((name) => name.endsWith(".html"));
const PAGES = ["", "lessons/", "evidence/", "reference/"].flatMap((folder) => pagesIn(folder).map((name) => folder + name));

let server, browser;
before(async () => ([server, browser] = await Promise.all([serve(), launch()])));
after(() => Promise.all([server.close(), browser.close()]));

test("every page loads, fits a phone, and its links resolve", async () => {
  const { page, problems } = await open(browser, PHONE);
  const [broken, anchors, ids] = [[], [], {}];
  for (const path of PAGES) {
    await page.goto(server.url + path);
    await page.evaluate(() => window.MathJax?.startup.promise);
    const { wide, links, wrong, named } = await page.evaluate(() => ({
      named: [...document.querySelectorAll("[id]")].map((element) => element.id),
      wide: document.documentElement.scrollWidth - window.innerWidth,
      wrong: [...document.querySelectorAll("mjx-merror")].map((element) => element.title),
      links: [...document.querySelectorAll("a[href], img[src]")].map((element) => element.href || element.src),
    }));
    problems.push(...wrong.map((formula) => `${path}: ${formula}`));
    ids[path] = new Set(named);
    if (wide > 0) problems.push(`${path} is ${wide} pixels wider than a phone`);
    for (const link of new Set(links.filter((link) => link.startsWith(server.url)))) {
      const { pathname, hash } = new URL(link);
      const file = decodeURIComponent(pathname).replace("/minisam/", "");
      if (hash) anchors.push([path, file || "index.html", decodeURIComponent(hash.slice(1))]);
      if (!existsSync(join(SITE, file, file.endsWith("/") || !file ? "index.html" : ""))) broken.push(`${path} → ${file}`);
    }
  }
  assert.deepEqual(problems, []);
  const lost = anchors.filter(([, file, id]) => id && ids[file] && !ids[file].has(id));
  broken.push(...lost.map(([path, file, id]) => `${path} → ${file}#${id}`));
  assert.deepEqual(broken, []);
});

test("the first page is light or dark, and tells others what it is", async () => {
  const { page, problems } = await open(browser);
  await page.goto(server.url);
  await screenshot(page, "first-page", { fullPage: true });
  const said = await page.locator('meta[name="description"]').getAttribute("content");
  assert.match(said, /Sharpness-Aware Minimization/);
  for (const name of ["og:title", "og:description", "og:image"]) {
    assert.ok(await page.locator(`meta[property="${name}"]`).getAttribute("content"), name);
  }
  const listed = await (await fetch(`${server.url}sitemap.xml`)).text();
  assert.ok(PAGES.filter((path) => path !== "404.html").every((path) => listed.includes(`${path}</loc>`)));
  const dark = await open(browser, { colorScheme: "dark" });
  await dark.page.goto(server.url);
  await screenshot(dark.page, "first-page-dark");
  const colour = await dark.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.ok(colour.match(/\d+/g).slice(0, 3).every((part) => Number(part) < 60), colour);
  assert.deepEqual([...problems, ...dark.problems], []);
});

test("a lesson shows its formulas, and a link to where it runs", async () => {
  const { page, problems } = await open(browser, PHONE);
  await page.goto(`${server.url}lessons/03_sam_in_ten_lines.html`);
  await page.locator("mjx-container").first().waitFor();
  assert.equal(await page.locator("mjx-merror").count(), 0);
  await screenshot(page, "lesson-phone", { fullPage: true });
  const run = new URL(await page.locator("a.run").getAttribute("href"), page.url());
  assert.ok(existsSync(join(SITE, run.pathname.replace("/minisam/", ""))));
  assert.ok(existsSync(join(SITE, "lite/files", run.searchParams.get("path"))));
  const dark = await open(browser, { colorScheme: "dark" });
  await dark.page.goto(page.url());
  await dark.page.locator("mjx-container").first().waitFor();
  await screenshot(dark.page, "lesson-dark", { fullPage: true });
  assert.deepEqual([...problems, ...dark.problems], []);
});

test("the search finds a name of the library", async () => {
  const { page, problems } = await open(browser);
  await page.goto(server.url);
  await page.locator('input[name="q"]').first().fill("epsilon");
  await page.keyboard.press("Enter");
  await page.locator('#search-results a[href*="minisam.sam.epsilon"]').first().waitFor();
  await screenshot(page, "search");
  assert.deepEqual(problems, []);
});

test("the reference keeps a formula's look", async () => {
  const { page, problems } = await open(browser, { reducedMotion: "reduce" }); // or it is still scrolling
  await page.goto(`${server.url}reference/minisam.sam.html#minisam.sam.SAM`);
  const formula = page.locator('dt[id="minisam.sam.SAM"] + dd pre').first();
  assert.match(await formula.textContent(), /ε = ρ/);
  await screenshot(page, "reference");
  assert.deepEqual(problems, []);
});

test("variants are sorted by a click, and filtered by words", async () => {
  const { page, problems } = await open(browser, PHONE);
  await page.goto(`${server.url}variants.html`);
  const column = (n) => page.locator(`#variants tbody tr:visible > :nth-child(${n})`).allTextContents();
  const names = await column(1);
  await page.getByRole("button", { name: "noisy digits" }).click();
  const reached = (await column(6)).map(Number.parseFloat).filter((value) => !Number.isNaN(value));
  assert.deepEqual(reached, [...reached].sort((a, b) => b - a));
  assert.deepEqual((await column(1)).sort(), names.sort());
  await page.getByRole("button", { name: "noisy digits" }).click();
  assert.equal(Number.parseFloat((await column(6))[0]), Math.min(...reached));
  await page.getByRole("searchbox", { name: "Show those with" }).fill("momentum");
  assert.deepEqual(await column(1), ["MSAM"]);
  await screenshot(page, "variants-phone");
  assert.deepEqual(problems, []);
});

test("claims are chosen by what they came to", async () => {
  const { page, problems } = await open(browser);
  await page.goto(`${server.url}evidence/index.html`);
  const all = await page.locator(".claim:visible").count();
  await page.getByLabel("not reproduced").check();
  const shown = await page.locator(".claim:visible .outcome").allTextContents();
  assert.ok(shown.length > 0 && shown.length < all);
  assert.ok(shown.every((outcome) => outcome === "Not reproduced"));
  await screenshot(page, "claims");
  assert.deepEqual(problems, []);
});
