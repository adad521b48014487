// Measures the JavaScript SDK. Reads the scenarios as JSON from the standard input, and writes a
// report to the standard output.

import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
// The bundled file, as in an application.
import { GrowthBookClient } from "./node_modules/@growthbook/growthbook/dist/bundles/esm.js";

const MANIFEST = new URL("node_modules/@growthbook/growthbook/package.json", import.meta.url);
const { version } = JSON.parse(readFileSync(MANIFEST, "utf8"));

const PRODUCT = "JavaScript SDK";
const ROUNDS = 51;
const ROUND_NANOSECONDS = 10e6;

const { scenarios, users, load } = JSON.parse(await text(process.stdin));
const times = scenarios.map(({ name, flag, payload }) => {
  const client = new GrowthBookClient().initSync({ payload });
  const contexts = users.map((attributes) => ({ attributes }));
  return time(name, (count) => {
    let on = 0;
    for (let question = 0; question < count; question += 1) {
      if (client.isOn(flag, contexts[question % contexts.length])) on += 1;
    }
    return on;
  });
});
times.push(
  time("load, 1,000 features", (count) => {
    for (let round = 0; round < count; round += 1) {
      new GrowthBookClient().initSync({ payload: JSON.parse(load) });
    }
  }),
);
const versions = [
  ["Node.js", process.versions.node],
  ["@growthbook/growthbook (JavaScript)", version],
];
process.stdout.write(JSON.stringify({ versions, times }));

/** Returns the nanoseconds of one call: the median of many rounds, and the quartiles. */
function time(scenario, ask) {
  let count = 1;
  for (; run(ask, count) < ROUND_NANOSECONDS; count *= 2);
  const samples = Array.from({ length: ROUNDS }, () => run(ask, count) / count);
  samples.sort((a, b) => a - b);
  const quantile = (share) => samples[Math.round(share * (ROUNDS - 1))];
  const [low, median, high] = [0.25, 0.5, 0.75].map(quantile);
  return { scenario, product: PRODUCT, nanoseconds: { median, low, high } };
}

function run(ask, count) {
  const start = process.hrtime.bigint();
  ask(count);
  return Number(process.hrtime.bigint() - start);
}
