// Answers suites of cases with the JavaScript SDK. Reads JSON from standard input, and writes the
// answers to standard output. An answer is {"answer": ...} or {"error": ...}.

import { readFileSync, writeFileSync } from "node:fs";
import { GrowthBook, StickyBucketService, evalCondition } from "@growthbook/growthbook";

class MemoryStickyBucketService extends StickyBucketService {
  documents = new Map();

  async getAssignments(name, value) {
    return this.documents.get(this.getKey(name, value)) ?? null;
  }

  async saveAssignments(document) {
    const { attributeName, attributeValue } = document;
    this.documents.set(this.getKey(attributeName, attributeValue), document);
  }
}

const QUESTIONS = {
  evalCondition: ([, condition, attributes, , savedGroups]) =>
    evalCondition(attributes, condition, savedGroups ?? {}),

  feature: ([, context, key]) => new GrowthBook(context).evalFeature(key),

  run([, context, experiment]) {
    const { value, inExperiment, hashUsed } = new GrowthBook(context).run(experiment);
    return [value, inExperiment, hashUsed];
  },

  async stickyBucket([, context, documents, key]) {
    const service = new MemoryStickyBucketService();
    for (const document of documents) await service.saveAssignments(document);
    const growthbook = new GrowthBook({ ...context, stickyBucketService: service });
    await growthbook.refreshStickyBuckets();
    const result = growthbook.evalFeature(key).experimentResult ?? null;
    return [result, growthbook.getStickyBucketAssignmentDocs()];
  },
};

async function answer(question, item) {
  try {
    return { answer: await question(item) };
  } catch (error) {
    return { error: String(error) };
  }
}

// The SDK writes warnings about malformed cases to the console, which would spoil the output.
console.error = console.log = () => {};

const answers = {};
for (const [suite, cases] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) {
  if (!(suite in QUESTIONS)) continue;
  answers[suite] = [];
  for (const item of cases) answers[suite].push(await answer(QUESTIONS[suite], item));
}
writeFileSync(1, JSON.stringify(answers));
