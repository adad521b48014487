// Answers the questions of `spec-tests --command`: node corpus.mjs MODULE.wasm

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { GrowthBook } from "./growthbook.mjs";

const growthbook = await GrowthBook.load(readFileSync(process.argv[2]));

const EVALUATIONS = {
  evalFeature: (snapshot, context, key) => snapshot.evalFeature(context, JSON.parse(key)),
  evalCondition: (snapshot, context, condition) => snapshot.evalCondition(context, condition),
  evalSticky: (snapshot, context, documents) => snapshot.evalSticky(context, documents),
  run: (snapshot, context, experiment) => snapshot.run(context, experiment),
  redirects: (snapshot, context) => snapshot.redirects(context),
};

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${reply(line)}\n`);
}

function reply(line) {
  const { ask, payload, context, argument } = JSON.parse(line);
  const evaluate = EVALUATIONS[ask];
  if (!evaluate) {
    growthbook.pass(line);
    growthbook.exports.answer_question();
    return growthbook.answer();
  }
  try {
    const snapshot = growthbook.snapshot(payload);
    const user = growthbook.contextOfText(context);
    const answer = evaluate(snapshot, user, argument);
    user.free();
    snapshot.free();
    return `{"answer":${answer}}`;
  } catch (error) {
    return JSON.stringify({ error: String(error) });
  }
}
