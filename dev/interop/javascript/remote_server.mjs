// A server for remote evaluation, with GrowthBook's package for it, as the GrowthBook Proxy answers.
//
// Reads payloads from the standard input, one a line. Writes its port after the first one. Announces
// each later one on the streams. Ends with the input.

import { evaluateFeatures } from "@growthbook/proxy-eval";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";

const PREFIXES = { POST: "/api/eval/", GET: "/sub/" };
const streams = new Set();
let payload;

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

async function answer(body) {
  const { attributes = {}, forcedVariations = {}, forcedFeatures = [], url = "" } = JSON.parse(body);
  if (!isObject(attributes) || !isObject(forcedVariations) || !Array.isArray(forcedFeatures)) {
    throw new Error("Invalid input");
  }
  return evaluateFeatures({
    payload,
    attributes,
    forcedVariations,
    forcedFeatures: new Map(forcedFeatures),
    url,
  });
}

const server = createServer(async (request, response) => {
  if (!request.url.startsWith(PREFIXES[request.method] ?? "?")) {
    response.writeHead(404).end();
  } else if (request.method === "GET") {
    response.writeHead(200, { "content-type": "text/event-stream" }).write("retry: 10000\n\n");
    streams.add(response);
    request.on("close", () => streams.delete(response));
  } else {
    try {
      const body = JSON.stringify(await answer(await text(request)));
      const headers = { "content-type": "application/json", "x-sse-support": "enabled" };
      response.writeHead(200, headers).end(body);
    } catch {
      response.writeHead(400).end('{"status":400,"error":"Invalid input"}');
    }
  }
});

let id = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const isFirst = payload === undefined;
  payload = JSON.parse(line);
  if (isFirst) {
    server.listen(0, "127.0.0.1", () => console.log(server.address().port));
  } else {
    id += 1;
    streams.forEach((stream) => stream.write(`id: ${id} \nevent: features-updated\ndata: \n\n`));
  }
}
process.exit();
