// Records deferred tracking calls with the JavaScript SDK, and replays those of another SDK.
//
// Reads a question from the standard input: the payload, users, features, and the calls of each user
// to replay. Writes the recorded calls of each user, and what the tracking callback received.

import { GrowthBook } from "@growthbook/growthbook";
import { text } from "node:stream/consumers";

const question = JSON.parse(await text(process.stdin));

const recorded = [];
for (const { attributes, url } of question.users) {
  const growthbook = new GrowthBook({ attributes, url });
  await growthbook.init({ payload: question.payload });
  for (const feature of question.features) {
    growthbook.evalFeature(feature);
    growthbook.evalFeature(feature);
  }
  recorded.push(growthbook.getDeferredTrackingCalls());
  growthbook.destroy();
}

const replayed = [];
for (const calls of question.calls) {
  const received = [];
  const growthbook = new GrowthBook();
  await growthbook.init({ payload: { features: {} } });
  growthbook.setDeferredTrackingCalls(calls);
  growthbook.setTrackingCallback((experiment, result, user) => {
    received.push({ experiment, result, user });
  });
  replayed.push(received);
  growthbook.destroy();
}

process.stdout.write(JSON.stringify({ recorded, replayed }));
