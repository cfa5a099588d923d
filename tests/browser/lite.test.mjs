// A lesson in JupyterLite: all its cells run in the browser, and a slider changes the picture.
//
// NOTEBOOKS=all runs every notebook of the site, which takes about an hour; NOTEBOOKS=claim_bounce.ipynb,… runs these.
// Pyodide's own wheels come from the folder named by PYODIDE_WHEELS; or from where visitors get them, if it can be reached.
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { launch, open, screenshot, serve, SITE } from "./browser.mjs";
import { hasSlider, moveSlider, runAll } from "./jupyter.mjs";

const PYODIDE = "https://cdn.jsdelivr.net/pyodide/v0.27.7/full/";
const ALL = readdirSync(join(SITE, "lite/files")).filter((name) => name.endsWith(".ipynb"));
const CHOSEN = process.env.NOTEBOOKS ?? "03_sam_in_ten_lines.ipynb";
const wheels = process.env.PYODIDE_WHEELS && resolve(process.env.PYODIDE_WHEELS);
const reachable = wheels || (await fetch(PYODIDE + "pyodide-lock.json").then((answer) => answer.ok, () => false));
const skip = !reachable && `Pyodide's wheels are not to be had: ${PYODIDE} cannot be reached, PYODIDE_WHEELS names no folder`;

let server, browser;
before(async () => ([server, browser] = await Promise.all([serve(), launch()])));
after(() => Promise.all([server.close(), browser.close()]));

for (const name of CHOSEN === "all" ? ALL : CHOSEN.split(",")) {
  test(`${name} runs in the browser`, { skip }, async () => {
    const { context, page, problems } = await open(browser, { viewport: { width: 1280, height: 900 } }, [PYODIDE]);
    if (wheels) {
      await context.route(`${PYODIDE}**`, (route) => {
        const path = join(wheels, basename(new URL(route.request().url()).pathname));
        return existsSync(path)
          ? route.fulfill({ path, headers: { "Access-Control-Allow-Origin": "*" } })
          : route.fulfill({ status: 404 });
      });
    }
    await context.route("**/lite/jupyter-lite.json", async (route) => {
      const answer = await route.fetch();
      const config = await answer.json();
      config["jupyter-config-data"].exposeAppInBrowser = true; // so that the test can see the notebook's state
      return route.fulfill({ response: answer, json: config });
    });
    try {
      await runAll(page, `${server.url}lite/notebooks/index.html?path=${name}`, CHOSEN === "all" ? 12 : 4);
      if (await hasSlider(page)) await moveSlider(page);
    } finally {
      await screenshot(page, "lite");
      await context.close();
    }
    assert.deepEqual(problems, []);
  });
}
