// Visits pages of the service in a headless browser, where the JavaScript SDK continues.
//
// Arguments: the browser's program, and the address of the service. Reads a path from each line of the
// standard input. Writes a line of JSON for each page: what the service has rendered, and what the
// SDK in the browser finds.

import { chromium } from "playwright-core";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";

const [executablePath, address] = process.argv.slice(2);
const bundle = new URL(
  "node_modules/@growthbook/growthbook/dist/bundles/auto.min.js",
  import.meta.url,
);
const sdk = await readFile(bundle, "utf8");

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
// The service learns the country and the browser does not.
const context = await browser.newContext({ extraHTTPHeaders: { "x-country": "US" } });
const page = await context.newPage();
const errors = [];
page.on("pageerror", (error) => errors.push(String(error)));
page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
// The page names the SDK at a public host, which the test does not need.
await page.route("https://cdn.jsdelivr.net/**", (route) =>
  route.fulfill({ contentType: "text/javascript", body: sdk }),
);
await page.route("**/favicon.ico", (route) => route.fulfill({ status: 204 }));

for await (const path of createInterface({ input: process.stdin })) {
  const response = await page.goto(address + path);
  await page.waitForFunction(() => window._growthbook?.ready);
  const visit = await page.evaluate(async () => {
    const growthbook = window._growthbook;
    const found = {};
    // Twice, because no exposure may be reported again.
    for (let round = 0; round < 2; round++) {
      for (const key of Object.keys(growthbook.getFeatures())) {
        found[key] = growthbook.evalFeature(key);
      }
    }
    await Promise.all(window.reports);
    return {
      rendered: JSON.parse(document.getElementById("flags").textContent),
      found,
      reports: window.reports.length,
      version: growthbook.version,
      attributes: growthbook.getAttributes(),
      documents: growthbook.getStickyBucketAssignmentDocs(),
      button: document.querySelector("button").style.background,
    };
  });
  const events = response.headers()["x-gbdebug-events"];
  const cookies = {};
  for (const { name, value } of await context.cookies()) {
    cookies[name] = value;
  }
  process.stdout.write(JSON.stringify({ ...visit, cookies, errors, events }) + "\n");
}
await browser.close();
