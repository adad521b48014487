// Answers cases with one pattern on one attribute with Node's own regular expressions. Reads a list
// of cases from standard input, and writes the list of answers to standard output.

import { readFileSync, writeFileSync } from "node:fs";

function answer([, condition, attributes]) {
  const [[attribute, operators]] = Object.entries(condition);
  const [[operator, source]] = Object.entries(operators);
  try {
    const flags = operator === "$regexi" ? "i" : "";
    return new RegExp(source, flags).test(attributes[attribute]);
  } catch {
    return false;
  }
}

writeFileSync(1, JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(answer)));
