// Evaluates features with the JavaScript SDK, with its sticky buckets in Redis.
//
// Reads a question from the standard input: Redis's address, the payload, users and features.
// Writes the key of the variation for each user and feature, and whether it comes from a sticky
// bucket.

import { GrowthBook, RedisStickyBucketService } from "@growthbook/growthbook";
import { Redis } from "ioredis";
import { text } from "node:stream/consumers";

const question = JSON.parse(await text(process.stdin));
const redis = new Redis(question.redis);
const answers = [];
for (const attributes of question.users) {
  const growthbook = new GrowthBook({
    attributes,
    stickyBucketService: new RedisStickyBucketService({ redis }),
  });
  await growthbook.init({ payload: question.payload });
  const answer = {};
  for (const feature of question.features) {
    const result = growthbook.evalFeature(feature).experimentResult;
    answer[feature] = [result?.key ?? null, result?.stickyBucketUsed ?? false];
  }
  answers.push(answer);
  growthbook.destroy();
}
// Commands are sent in order. So all saves are done after this one.
await redis.ping();
await redis.quit();
process.stdout.write(JSON.stringify(answers));
