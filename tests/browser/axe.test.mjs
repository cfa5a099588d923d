// axe-core, which others wrote, finds nothing that bars people from our pages: on a phone and a wide screen, light and dark.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch, NPM, open, serve } from "./browser.mjs";

const AXE = readFileSync(join(NPM, "axe-core/axe.min.js"), "utf8");
const PAGES = ["index", "lessons/03_sam_in_ten_lines", "evidence/index", "evidence/bounce", "variants", "formulas", "reference/minisam.sam"];
PAGES.push("search");
const WIDTHS = { phone: { width: 390, height: 844 }, wide: { width: 1440, height: 900 } };

let server, browser;
before(async () => ([server, browser] = await Promise.all([serve(), launch()])));
after(() => Promise.all([server.close(), browser.close()]));

for (const [name, viewport] of Object.entries(WIDTHS)) {
  for (const colorScheme of ["light", "dark"]) {
    test(`axe finds nothing: ${name}, ${colorScheme}`, async () => {
      const { context, page } = await open(browser, { viewport, colorScheme, reducedMotion: "reduce" });
      await context.addInitScript(AXE);
      const found = [];
      for (const path of PAGES) {
        await page.goto(`${server.url}${path}.html${path === "search" ? "?q=epsilon" : ""}`);
        await page.evaluate(() => window.MathJax?.startup.promise);
        const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
        found.push(...violations.flatMap(({ id, nodes }) => nodes.map((node) => `${path}: ${id}: ${node.html.slice(0, 200)}`)));
      }
      assert.deepEqual(found, []);
    });
  }
}
