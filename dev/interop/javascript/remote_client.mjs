// Evaluates with the JavaScript SDK, remotely and locally.
//
// Reads a question from the standard input: the host, the client key, the payload, users and
// features. Writes the values and exposures of each user, of both kinds.

import { GrowthBook } from "@growthbook/growthbook";
import { text } from "node:stream/consumers";

const question = JSON.parse(await text(process.stdin));

async function evaluate(user, options, init) {
  const exposures = new Set();
  const growthbook = new GrowthBook({
    ...options,
    attributes: user.attributes,
    url: user.url,
    forcedVariations: user.forcedVariations,
    trackingCallback: (experiment, result) => {
      exposures.add(`${experiment.key}: ${result.variationId}`);
    },
  });
  const { success } = await growthbook.init(init);
  const values = {};
  for (const feature of question.features) {
    values[feature] = growthbook.evalFeature(feature).value;
  }
  growthbook.destroy();
  return { success, values, exposures: [...exposures].sort() };
}

const remotely = {
  apiHost: question.host,
  clientKey: question.clientKey,
  remoteEval: true,
};
const remote = [];
const local = [];
for (const user of question.users) {
  remote.push(await evaluate(user, remotely, { timeout: 20000 }));
  local.push(await evaluate(user, {}, { payload: question.payload }));
}
process.stdout.write(JSON.stringify({ remote, local }));
