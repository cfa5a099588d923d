// What the browser's tests share: a server, a browser that notes what goes wrong, screenshots.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
export const NPM = join(ROOT, "build/npm/node_modules/");
export const SITE = join(ROOT, "build/site");
const SCREENSHOTS = join(ROOT, "build/screenshots");
const { chromium } = createRequire(NPM)("playwright-core");

const BROWSERS = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = BROWSERS.find((path) => path && existsSync(path));
assert(executablePath, "no Chromium found: apt-get install chromium, or name its path in the variable CHROMIUM");
assert(existsSync(SITE), "no site found: make site");

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".json": "application/json" };
Object.assign(TYPES, { ".svg": "image/svg+xml", ".png": "image/png", ".gif": "image/gif", ".wasm": "application/wasm" });

/** The site on a free port of loopback, below /minisam/ as it is published. */
export async function serve() {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://host").pathname).replace(/^\/minisam\//, "/");
    const file = join(SITE, path.endsWith("/") ? `${path}index.html` : path);
    const found = existsSync(file) && statSync(file).isFile();
    response.writeHead(found ? 200 : 404, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream" });
    response.end(found ? readFileSync(file) : "not found");
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return { url: `http://127.0.0.1:${server.address().port}/minisam/`, close: () => server.close() };
}

export const launch = () => chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });

/** A page, and the list of what went wrong on it: errors, failed requests, requests to hosts that are not allowed. */
export async function open(browser, options = {}, allowed = []) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const problems = [];
  const local = (url) => /^(blob:|data:)/.test(url) || new URL(url).hostname === "127.0.0.1";
  page.on("console", (message) => message.type() === "error" && problems.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => problems.push(`page: ${error.message}`));
  page.on("requestfailed", (request) => {
    const why = request.failure().errorText;
    if (why !== "net::ERR_ABORTED") problems.push(`failed: ${request.url()} ${why}`); // aborted: the page was left
  });
  context.on("response", (response) => response.status() >= 400 && problems.push(`${response.status()}: ${response.url()}`));
  context.on("request", (request) => {
    if (!local(request.url()) && !allowed.some((url) => request.url().startsWith(url))) {
      problems.push(`another host: ${request.url()}`);
    }
  });
  return { context, page, problems };
}

export async function screenshot(page, name, options = {}) {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), ...options });
}
