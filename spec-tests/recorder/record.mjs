// Answers suites of cases with the JavaScript SDK. Reads JSON from standard input, and writes the
// answers to standard output. An answer is {"answer": ...} or {"error": ...}.

import { readFileSync, writeFileSync } from "node:fs";
import { GrowthBook, StickyBucketService, evalCondition } from "@growthbook/growthbook";
import { evaluateFeatures } from "@growthbook/proxy-eval";

class MemoryStickyBucketService extends StickyBucketService {
  documents = new Map();
  saved = new Set();

  constructor(documents) {
    super();
    for (const document of documents) this.documents.set(this.keyOf(document), document);
  }

  keyOf({ attributeName, attributeValue }) {
    return this.getKey(attributeName, attributeValue);
  }

  async getAssignments(name, value) {
    return this.documents.get(this.getKey(name, value)) ?? null;
  }

  async saveAssignments(document) {
    this.documents.set(this.keyOf(document), document);
    this.saved.add(this.keyOf(document));
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
    const service = new MemoryStickyBucketService(documents);
    const growthbook = new GrowthBook({ ...context, stickyBucketService: service });
    await growthbook.refreshStickyBuckets();
    const result = growthbook.evalFeature(key).experimentResult ?? null;
    return [result, growthbook.getStickyBucketAssignmentDocs()];
  },

  // The arguments are those of the GrowthBook Proxy. It reads forced features into a map.
  async remoteEval([, payload, request, documents]) {
    const { attributes = {}, forcedVariations = {}, forcedFeatures = [], url = "" } = request;
    const service = documents && new MemoryStickyBucketService(documents);
    const response = await evaluateFeatures({
      payload,
      attributes,
      forcedVariations,
      forcedFeatures: new Map(forcedFeatures),
      url,
      stickyBucketService: service,
    });
    const saved = [...(service?.saved ?? [])].map((key) => [key, service.documents.get(key)]);
    return [response, Object.fromEntries(saved)];
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
