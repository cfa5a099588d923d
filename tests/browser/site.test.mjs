// The pages: each loads without an error and from nowhere else, its links resolve, it fits a phone.
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch, open, screenshot, serve, SITE } from "./browser.mjs";

const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 };
const lessons = readdirSync(join(SITE, "lessons")).filter((name) => /^\d.*\.html$/.test(name));
const reference = readdirSync(join(SITE, "reference")).filter((name) => name.endsWith(".html"));
const PAGES = ["index.html", "contributing.html", "changelog.html", "search.html", "lessons/index.html"];
PAGES.push(...lessons.map((name) => `lessons/${name}`), ...reference.map((name) => `reference/${name}`));

let server, browser;
before(async () => ([server, browser] = await Promise.all([serve(), launch()])));
after(() => Promise.all([server.close(), browser.close()]));

test("every page loads, fits a phone, and its links resolve", async () => {
  const { page, problems } = await open(browser, PHONE);
  const broken = [];
  for (const path of PAGES) {
    await page.goto(server.url + path);
    await page.evaluate(() => window.MathJax?.startup.promise);
    const { wide, links, wrong } = await page.evaluate(() => ({
      wide: document.documentElement.scrollWidth - window.innerWidth,
      wrong: [...document.querySelectorAll("mjx-merror")].map((element) => element.title),
      links: [...document.querySelectorAll("a[href], img[src]")].map((element) => element.href || element.src),
    }));
    problems.push(...wrong.map((formula) => `${path}: ${formula}`));
    if (wide > 0) problems.push(`${path} is ${wide} pixels wider than a phone`);
    for (const link of new Set(links.filter((link) => link.startsWith(server.url)))) {
      const { pathname } = new URL(link);
      const file = decodeURIComponent(pathname).replace("/minisam/", "");
      if (!existsSync(join(SITE, file, file.endsWith("/") || !file ? "index.html" : ""))) broken.push(`${path} → ${file}`);
    }
  }
  assert.deepEqual(problems, []);
  assert.deepEqual(broken, []);
});

test("the first page shows the picture that explains SAM", async () => {
  const { page, problems } = await open(browser);
  await page.goto(server.url);
  const picture = page.locator('img[src$="sam.gif"]');
  assert.ok(await picture.evaluate((image) => image.decode().then(() => image.naturalWidth > 300)));
  await screenshot(page, "first-page");
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
