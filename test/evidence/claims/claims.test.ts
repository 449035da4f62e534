// What a reasoning claims, and which of it the clip's own cues support.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ClaimBank, claimBank, findClaims, sameCues } from "../../../src/evidence/claims/claims.ts";
import type { Cue } from "../../../src/evidence/cue.ts";
import { routeBatch } from "../../../src/evidence/route-batch.ts";
import { splitClauses } from "../../../src/text/clauses.ts";
import { wordEmbedder } from "../../support/word-embedder.ts";

const embedder = wordEmbedder(["furrowed", "brow", "deep", "loud", "voice", "smile", "wide", "angry"]);
const bank: ClaimBank = [
  { kind: "video", text: "a furrowed brow" },
  { kind: "video", text: "a deep furrowed brow" },
  { kind: "video", text: "a wide smile" },
  { kind: "audio", text: "a loud voice" },
];
const own: Cue[] = [
  { kind: "video", text: "a furrowed brow" },
  { kind: "emotion", text: "angry" },
];

async function claimsOf(cues: readonly Cue[], text: string) {
  const clauses = splitClauses([text], { start: 0, end: text.length });
  const routings = await routeBatch([{ cues, clauses }], embedder);
  const [claims] = await findClaims(routings, bank, 0.5, embedder);
  return claims!.map(({ kind, cue, bank: known }) => [kind, cue, known]);
}

test("own cues, own cues in other words, other clips' cues, and what claims nothing", async () => {
  assert.deepEqual(await claimsOf(own, "the video shows a furrowed brow."), [["video", 0, 0]]);
  // closest to a cue of another clip that is the same as the own one: cosine 2 / sqrt(6) = .82
  assert.deepEqual(await claimsOf(own, "a deep furrowed brow."), [["video", 0, 1]]);
  assert.deepEqual(await claimsOf(own, "a wide smile, a loud voice."), [
    ["video", -1, 2],
    ["audio", -1, 3],
  ]);
  assert.deepEqual(await claimsOf(own, "nothing to be seen, the person is angry."), []);
  assert.deepEqual(await claimsOf([], "a furrowed brow."), [["video", -1, 0]]);
  // of a cue that no other clip has, the bank knows nothing
  assert.deepEqual(await claimsOf([{ kind: "audio", text: "wide angry" }], "wide angry."), [["audio", 0, -1]]);
});

test("a bank has video and audio cues, each text once, and of too many a drawn part", () => {
  const rows = [{ cues: own }, { cues: [...own, { kind: "audio", text: "a loud voice" } as const] }];
  assert.deepEqual(
    claimBank(rows, 1).map(({ text }) => text),
    ["a furrowed brow", "a loud voice"],
  );
  const many = Array.from({ length: 3000 }, (_, i) => ({ cues: [{ kind: "video", text: `cue ${i}` } as const] }));
  const drawn = claimBank(many, 1);
  assert.equal(drawn.length, 2048);
  assert.deepEqual(claimBank(many, 1), drawn);
  assert.notDeepEqual(claimBank(many, 2), drawn);
});

test("cues are the same by their words or by what they say, within a kind", async () => {
  const isSame = await sameCues(bank, embedder);
  assert.equal(isSame(bank[0]!, bank[1]!), true);
  assert.equal(isSame(bank[0]!, bank[2]!), false);
  assert.equal(isSame(bank[0]!, { kind: "audio", text: "a furrowed brow" }), false);
});
