// Writes src/generated/api.ts: the types of the API's answers, from its OpenAPI description as the server's tests keep it.
import { readFileSync, writeFileSync } from "node:fs";
import openapi, { astToString } from "openapi-typescript";

const document = JSON.parse(readFileSync(new URL("../../crates/api/tests/openapi.json", import.meta.url), "utf8"));

/** What the page reads: good answers of questions, without texts. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  const kept = Object.entries(value).filter(([key, inner]) => !(["example", "examples"].includes(key) || (key === "description" && typeof inner === "string")));
  return Object.fromEntries(kept.map(([key, inner]) => [key, plain(inner)]));
}

const paths = Object.entries(document.paths).flatMap(([path, { get }]) => {
  const content = get?.responses["200"]?.content?.["application/json"];
  if (!content || !path.startsWith("/client/v4/")) return [];
  return [[path, { get: { operationId: get.operationId, responses: { 200: { description: "", content: { "application/json": content } } } } }]];
});
const types = await openapi({ openapi: document.openapi, info: document.info, paths: plain(Object.fromEntries(paths)), components: { schemas: plain(document.components.schemas) } });
writeFileSync(new URL("../src/generated/api.ts", import.meta.url), `// Written by web/scripts/types.mjs.\n${astToString(types)}`);
