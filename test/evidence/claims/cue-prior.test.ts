// How much of a claim the emotion gives away, counted by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Claim, ClaimBank } from "../../../src/evidence/claims/claims.ts";
import { cuePrior } from "../../../src/evidence/claims/cue-prior.ts";
import type { Cue } from "../../../src/evidence/cue.ts";
import { wordEmbedder } from "../../support/word-embedder.ts";

const embedder = wordEmbedder(["furrowed", "brow", "deep", "smile", "wide", "loud", "voice"]);
const bank: ClaimBank = [
  { kind: "video", text: "a furrowed brow" },
  { kind: "video", text: "a wide smile" },
  { kind: "audio", text: "a loud voice" },
];
const brow: Cue = { kind: "video", text: "a furrowed brow" };
const deepBrow: Cue = { kind: "video", text: "a deep furrowed brow" };
const smile: Cue = { kind: "video", text: "a wide smile" };
const clips = [
  { id: "a", labels: ["angry"], cues: [brow] },
  { id: "b", labels: ["angry", "angry"], cues: [deepBrow, smile] },
  { id: "c", labels: ["angry", "sad"], cues: [] },
  { id: "d", labels: ["happy"], cues: [smile] },
];
const claimOf = (place: number): Claim => ({ kind: "video", cue: -1, bank: place });

test("among other clips that share a label, shrunk by two clips of all emotions", async () => {
  const prior = await cuePrior(clips, bank, embedder, 1);
  // of all four clips two have a brow, one of them in other words
  const rounded = (id: string, labels: readonly string[], place: number) => prior({ id, labels })(claimOf(place));
  assert.equal(rounded("new", ["angry"], 0), (2 + 2 * 0.5) / (3 + 2));
  assert.equal(
    rounded("a", ["angry"], 0),
    (1 + 2 * 0.5) / (2 + 2),
    "the clip itself is no evidence of what others have",
  );
  assert.equal(rounded("d", ["happy"], 1), (0 + 2 * 0.5) / (0 + 2), "no other happy clip: as all clips have it");
  assert.equal(rounded("new", ["happy", "angry"], 1), (2 + 2 * 0.5) / (4 + 2), "clips that share any label");
  assert.equal(rounded("new", ["angry"], 2), 0, "nobody has a loud voice");
  assert.equal(prior({ id: "new", labels: ["angry"] })({ bank: -1 }), 0);
  // negative control: the emotion matters
  assert.notEqual(rounded("new", ["happy"], 0), rounded("new", ["angry"], 0));
});

test("a cue of the other kind is not the same, whatever its words", async () => {
  const heard: Cue = { kind: "audio", text: "a furrowed brow" };
  const prior = await cuePrior([{ id: "a", labels: [], cues: [heard] }], bank, embedder, 1);
  assert.equal(prior({ id: "new", labels: [] })(claimOf(0)), 0);
});

test("of many clips some are counted, the same for a seed", async () => {
  const many = Array.from({ length: 3000 }, (_, i) => ({
    id: `${i}`,
    labels: ["angry"],
    cues: i % 3 === 0 ? [brow] : [],
  }));
  const at = async (seed: number) =>
    (await cuePrior(many, bank, embedder, seed))({ id: "new", labels: [] })(claimOf(0));
  assert.equal(await at(1), await at(1));
  assert.ok(Math.abs((await at(1)) - 1 / 3) < 0.06);
  assert.notEqual(await at(1), await at(2));
});
