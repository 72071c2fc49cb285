// Checks an AsyncAPI document with AsyncAPI's own parser: structure, references and schemas.
// Run as `node .ci/asyncapi.mjs asyncapi.yaml`: 1 when there is an error or a warning. It asks no other host.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const WARNING = 1; // errors are 0; what comes after is advice, such as that there is a newer AsyncAPI
const [path] = process.argv.slice(2);
const { diagnostics } = await new Parser().parse(readFileSync(path, "utf8"), { source: path });
const findings = diagnostics.filter(({ severity }) => severity <= WARNING);
for (const { code, message, path: where, range } of findings) {
  console.error(`${path}:${range.start.line + 1} ${code} ${where.join(".")}: ${message}`);
}
console.log(`${path}: ${findings.length} findings`);
process.exitCode = findings.length ? 1 : 0;
