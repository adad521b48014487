// Measures the module beside the JavaScript SDK, in turns: node time.mjs MODULE.wasm
//
// Each context is handed over once, and asked about often. Prints a line for each question.

import { readFileSync } from "node:fs";
// The bundled file, as in a worker.
import { GrowthBookClient } from "./node_modules/@growthbook/growthbook/dist/bundles/esm.js";
import { GrowthBook } from "./growthbook.mjs";

const ROUNDS = 31;
const ROUND_NANOSECONDS = 5e6;
const FEATURES = 100;

const growthbook = await GrowthBook.load(readFileSync(process.argv[2]));

const features = {
  plain: { defaultValue: true },
  targeted: {
    defaultValue: false,
    rules: [{ condition: { country: { $in: ["US", "CA"] }, plan: "pro" }, force: true }],
  },
  experiment: {
    defaultValue: false,
    rules: [{ key: "experiment", hashAttribute: "id", variations: [false, true] }],
  },
};
for (let index = 0; index < FEATURES; index += 1) {
  features[`flag-${index}`] = {
    defaultValue: index,
    rules: [
      { condition: { country: "US", age: { $gt: index } }, force: index + 1 },
      { key: `experiment-${index}`, hashAttribute: "id", variations: [0, 1, 2] },
    ],
  };
}
const payload = JSON.stringify({ features });
const contexts = Array.from({ length: 16 }, (_, index) => ({
  attributes: { id: `user-${index}`, country: index % 2 ? "US" : "FR", plan: "pro", age: index },
}));

const snapshot = growthbook.snapshot(payload);
const users = contexts.map((context) => growthbook.context(context));
const client = new GrowthBookClient().initSync({ payload: JSON.parse(payload) });

for (const name of ["plain", "targeted", "experiment"]) {
  const key = growthbook.key(name);
  compare(
    { plain: "default value", targeted: "targeted rule", experiment: "experiment" }[name],
    (index) => snapshot.isOn(users[index % users.length], key),
    (index) => client.isOn(name, contexts[index % contexts.length]),
  );
}
compare(
  `load ${Object.keys(features).length} features`,
  () => {
    growthbook.snapshot(payload).free();
    return true;
  },
  () => {
    new GrowthBookClient().initSync({ payload: JSON.parse(payload) });
    return true;
  },
);

/** Prints the medians of many rounds. Both must give the same answers. */
function compare(name, ours, theirs) {
  for (let index = 0; index < contexts.length; index += 1) {
    if (ours(index) !== theirs(index)) throw new Error(`${name}: the answers differ`);
  }
  const rounds = [ours, theirs].map((ask) => ({ ask, count: callsInRound(ask), samples: [] }));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { ask, count, samples } of rounds) samples.push(run(ask, count) / count);
  }
  const [wasm, script] = rounds.map(({ samples }) => samples.sort((a, b) => a - b)[ROUNDS >> 1]);
  const times = `${wasm.toFixed(0)} ns in WebAssembly, ${script.toFixed(0)} ns in JavaScript`;
  console.log(`${name}: ${times}: ${(wasm / script).toFixed(2)} of its time`);
}

/** Returns how many calls make a round. */
function callsInRound(ask) {
  let count = 1;
  for (; run(ask, count) < ROUND_NANOSECONDS; count *= 2);
  return count;
}

function run(ask, count) {
  let on = 0;
  const start = process.hrtime.bigint();
  for (let index = 0; index < count; index += 1) if (ask(index)) on += 1;
  const end = process.hrtime.bigint();
  if (on > count) throw new Error("the answers are not used otherwise");
  return Number(end - start);
}
