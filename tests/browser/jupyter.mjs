// Driving a notebook in JupyterLab or JupyterLite, which look the same from here.
import assert from "node:assert/strict";

/** Opens the page, waits for its kernel, runs all cells by the menu, and holds that none failed. */
export async function runAll(page, url, minutes) {
  await page.goto(url);
  await idle(page, minutes * 60_000);
  await page.getByRole("menuitem", { name: "Run", exact: true }).click();
  await page.getByRole("menuitem", { name: "Run All Cells", exact: true }).click();
  const end = performance.now() + minutes * 60_000;
  let code;
  do {
    assert.ok(performance.now() < end, `the cells took more than ${minutes} minutes`);
    await page.waitForTimeout(250);
    code = (await cells(page)).filter((cell) => cell.cell_type === "code" && cell.source.trim());
  } while (!bad(code).length && !code.every((cell) => cell.execution_count));
  assert.deepEqual(bad(code), []);
}

function idle(page, timeout) {
  const status = () => window.jupyterapp?.shell.currentWidget?.sessionContext?.kernelDisplayStatus;
  return page.waitForFunction(`(${status})() === "idle"`, null, { timeout, polling: 100 });
}

export const cells = (page) => page.evaluate(() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells);

/** Errors and warnings. */
const bad = (cells) =>
  cells.flatMap((cell) => cell.outputs).filter((output) => output.output_type === "error" || output.name === "stderr");

export const hasSlider = async (page) => (await cells(page)).some((cell) => cell.source.includes("ipywidgets.interact("));

/** Drags the first slider of the first widget, and holds that its picture becomes another one. */
export async function moveSlider(page) {
  const widget = (await cells(page)).findIndex((cell) => cell.source.includes("ipywidgets.interact("));
  await page.evaluate((index) => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = index;
    return notebook.scrollToItem(index, "start");
  }, widget);
  const output = page.locator(".jp-OutputArea", { has: page.locator(".widget-slider") }).first();
  const picture = output.locator("img").first();
  await picture.waitFor();
  const before = await picture.getAttribute("src");
  const handle = output.locator(".noUi-handle").first();
  await handle.scrollIntoViewIfNeeded();
  const box = await handle.boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x - 40, y, { steps: 5 });
  await page.mouse.up();
  const start = performance.now();
  while ((await output.locator("img").first().getAttribute("src")) === before) {
    assert.ok(performance.now() - start < 30_000, "the slider moved, the picture did not change");
    await page.waitForTimeout(50);
  }
  await idle(page, 30_000);
  await picture.evaluate((image) => image.scrollIntoView({ block: "end" }));
}
