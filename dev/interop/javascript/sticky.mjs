// Evaluates features with the JavaScript SDK, whose sticky buckets are in Redis.
//
// Reads a question from its input: where Redis is, the payload, users and features. Writes, for
// each user and feature, which variation of its experiment the user has, and whether it stuck.

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
// Saves are sent in order: behind this one there are none.
await redis.ping();
await redis.quit();
process.stdout.write(JSON.stringify(answers));
