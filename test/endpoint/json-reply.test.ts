// JSON out of replies: taken, mended or refused.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readJsonReply, schemaCheck } from "../../src/endpoint/json-reply.ts";

const list = { type: "array", items: { type: "string" } };
const check = schemaCheck({
  type: "object",
  properties: { visual: list, audio: list },
  required: ["visual", "audio"],
  additionalProperties: false,
});
const read = (reply: string) => readJsonReply(reply, check);
const good = '{"visual":["a frown"],"audio":[]}';

describe("replies of JSON", () => {
  test("strict JSON is taken as it is", () => {
    assert.deepEqual(read('{ "visual": ["a frown"],\n "audio": [] }'), { json: good, flaw: null });
  });

  const mendable: readonly [string, string, string][] = [
    ["a fence", `Here you are:\n\`\`\`json\n${good}\n\`\`\`\nDone.`, good],
    ["a fence without an end", `\`\`\`json\n${good}`, good],
    ["words around it", `Sure! ${good} I hope this helps {really}.`, good],
    ["thoughts before it", `<think>a {"visual": [}</think>${good}`, good],
    ["commas before brackets", '{"visual":["a frown",],"audio":[],}', good],
    ["brackets in strings", '{"visual":["a \\"]} frown"],"audio":[],}', '{"visual":["a \\"]} frown"],"audio":[]}'],
    ["a raw line break", '{"visual":["a\nfrown"],"audio":[]}', '{"visual":["a\\nfrown"],"audio":[]}'],
  ];
  for (const [name, reply, json] of mendable) {
    test(`mended: ${name}`, () => assert.deepEqual(read(reply), { json, flaw: "untidy" }));
  }

  const cut: readonly [string, string, string][] = [
    ["a missing bracket", '{"visual":["a frown"],"audio":[]', good],
    ["a cut-off entry", '{"audio":[],"visual":["a frown","a wrin', '{"audio":[],"visual":["a frown"]}'],
    ["a cut-off list", '{"audio":[],"visual":["a frown",', '{"audio":[],"visual":["a frown"]}'],
  ];
  for (const [name, reply, json] of cut) {
    test(`closed: ${name}`, () => assert.deepEqual(read(reply), { json, flaw: "cut off" }));
  }

  const refused: readonly [string, string, RegExp][] = [
    ["no JSON", "I cannot help with that.", /^no JSON$/],
    ["nothing", "", /^no JSON$/],
    ["wrong types", '{"visual":"a frown","audio":[]}', /^visual: Invalid input: expected array/],
    ["a missing field", '{"visual":[]}', /^audio: /],
    ["a further field", '{"visual":[],"audio":[],"x":1}', /Unrecognized key/],
    ["cut before its second list", '{"visual":["a frown"', /^audio: /],
    ["crossed brackets", '{"visual":["a frown"},"audio":[]]', /^audio: /],
    ["endless depth", "[".repeat(100_000), /^no JSON$/],
  ];
  for (const [name, reply, reason] of refused) {
    test(`refused: ${name}`, () => {
      const reading = read(reply);
      assert.ok("reason" in reading, JSON.stringify(reading));
      assert.match(reading.reason, reason);
    });
  }
});
