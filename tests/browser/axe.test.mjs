// axe-core, which others wrote, finds nothing that bars people from our pages: on a phone and a wide screen, light and dark.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { launch, NPM, open, serve } from "./browser.mjs";

const AXE = join(NPM, "axe-core/axe.min.js");
const PAGES = ["index", "lessons/00_start_here", "evidence/index", "evidence/bounce", "variants", "formulas", "reference/minisam.optim"];
PAGES.push("search", "404");
const WIDTHS = [{ width: 390, height: 844 }, { width: 1440, height: 900 }];
const ALL = { resultTypes: ["violations"] };
const COLOURS = { ...ALL, runOnly: ["color-contrast"] }; // what else there is does not depend on the colours

let server, browser;
before(async () => ([server, browser] = await Promise.all([serve(), launch()])));
after(() => Promise.all([server.close(), browser.close()]));

suite("axe finds nothing", { concurrency: 2 }, () => {
  for (const path of PAGES) {
    test(path, async () => {
      const { page } = await open(browser, { reducedMotion: "reduce" });
      await page.goto(`${server.url}${path}.html${path === "search" ? "?q=epsilon" : ""}`);
      await page.evaluate(() => window.MathJax?.startup.promise);
      if (path === "search") await page.locator("#search-results li").first().waitFor();
      await page.addScriptTag({ path: AXE });
      const found = [];
      for (const size of WIDTHS) {
        await page.setViewportSize(size);
        for (const colorScheme of ["light", "dark"]) {
          await page.emulateMedia({ colorScheme });
          const { violations } = await page.evaluate((how) => window.axe.run(how), colorScheme === "light" ? ALL : COLOURS);
          const told = ({ id, nodes }) => nodes.map((node) => `${id}, ${size.width}, ${colorScheme}: ${node.html.slice(0, 200)}`);
          found.push(...violations.flatMap(told));
        }
      }
      assert.deepEqual(found, []);
      await page.close();
    });
  }
});
