// A lesson in JupyterLite: all its cells run in the browser, and a slider changes the picture.
//
// Pyodide's own wheels come from the folder named by PYODIDE_WHEELS; or from where visitors get them, if it can be reached.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { launch, open, screenshot, serve } from "./browser.mjs";
import { moveSlider, runAll } from "./jupyter.mjs";

const PYODIDE = "https://cdn.jsdelivr.net/pyodide/v0.27.7/full/";
const LESSON = "03_sam_in_ten_lines.ipynb";
const wheels = process.env.PYODIDE_WHEELS && resolve(process.env.PYODIDE_WHEELS);
const reachable = wheels || (await fetch(PYODIDE + "pyodide-lock.json").then((answer) => answer.ok, () => false));
const skip = !reachable && `Pyodide's wheels are not to be had: ${PYODIDE} cannot be reached, PYODIDE_WHEELS names no folder`;

let server, browser;
before(async () => ([server, browser] = await Promise.all([serve(), launch()])));
after(() => Promise.all([server.close(), browser.close()]));

test("a lesson runs in the browser", { skip }, async () => {
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
    await runAll(page, `${server.url}lite/notebooks/index.html?path=${LESSON}`, 4);
    await moveSlider(page);
  } finally {
    await screenshot(page, "lite");
  }
  assert.deepEqual(problems, []);
});
