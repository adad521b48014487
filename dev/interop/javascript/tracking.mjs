// Sends events with the JavaScript SDK's tracking plugin.
//
// Reads a question from the standard input: the ingestor's address, the client key, the payload,
// and users with their attributes, URL, forced values, features and logged events. Writes nothing:
// the ingestor has the events.

import { GrowthBookClient } from "@growthbook/growthbook";
import { growthbookTrackingPlugin } from "@growthbook/growthbook/plugins";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";

const question = JSON.parse(await text(process.stdin));
const plugin = growthbookTrackingPlugin({
  ingestorHost: question.ingestor,
  queueFlushInterval: 50,
});
const growthbook = new GrowthBookClient({
  clientKey: question.clientKey,
  globalAttributes: question.globalAttributes,
  plugins: [plugin],
});
await growthbook.init({ payload: question.payload });
for (const user of question.users) {
  const scope = growthbook.createScopedInstance({
    attributes: user.attributes,
    url: user.url,
    forcedVariations: user.forcedVariations,
    forcedFeatureValues: new Map(Object.entries(user.forcedFeatures)),
  });
  for (const feature of user.features) {
    scope.evalFeature(feature);
  }
  for (const [name, properties] of user.events) {
    scope.logEvent(name, properties);
  }
}
// The plugin sends 50 ms after the first event. Node ends when the request has ended.
await setTimeout(100);
process.stdout.write("null");
