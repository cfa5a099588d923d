// A lesson in JupyterLab, as `make lessons` starts it: all its cells run, and a slider changes the picture.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch, open, ROOT, screenshot } from "./browser.mjs";
import { moveSlider, runAll } from "./jupyter.mjs";

const JUPYTER = join(process.env.MINISAM_VENV ?? join(ROOT, ".venv"), "bin/jupyter");
const TOKEN = "of-this-test";
const LESSON = "03_sam_in_ten_lines.ipynb";

let folder, server, browser, url;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "lessons-")); // a copy, for what the browser saves
  cpSync(join(ROOT, "lessons"), join(folder, "lessons"), { recursive: true });
  const flags = ["--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0", `--IdentityProvider.token=${TOKEN}`];
  server = spawn(JUPYTER, ["lab", "lessons", ...flags, "--LabApp.expose_app_in_browser=True"], { cwd: folder });
  url = await new Promise((found, failed) => {
    let said = "";
    server.stderr.on("data", (text) => {
      said += text;
      const line = said.match(/http:\/\/127\.0\.0\.1:\d+\//);
      if (line) found(line[0]);
    });
    server.on("exit", () => failed(new Error(said)));
  });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server?.kill();
  rmSync(folder, { recursive: true });
});

test("a lesson runs in JupyterLab", async () => {
  const { page, problems } = await open(browser, { viewport: { width: 1280, height: 900 } });
  try {
    await runAll(page, `${url}lab/tree/${LESSON}?token=${TOKEN}`, 2);
    await moveSlider(page);
  } finally {
    await screenshot(page, "lab");
  }
  const foreign = /@jupyterlite\/pyodide-kernel-extension/; // `make site` installs it; JupyterLab tries it, and goes on without
  assert.deepEqual(problems.filter((problem) => !foreign.test(problem)), []);
});
