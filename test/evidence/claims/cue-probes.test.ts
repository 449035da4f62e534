// Probes of a small corpus: what is asked where, and that the emotion gives no answer away.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClaimBank } from "../../../src/evidence/claims/claims.ts";
import { type CuePrior, cuePrior } from "../../../src/evidence/claims/cue-prior.ts";
import { drawCueProbes } from "../../../src/evidence/claims/cue-probes.ts";
import type { Cue } from "../../../src/evidence/cue.ts";
import { createRandom } from "../../../src/random.ts";
import { wordEmbedder } from "../../support/word-embedder.ts";

const embedder = wordEmbedder(["furrowed", "brow", "smile", "wide", "loud", "voice", "tears", "deep"]);
const cues = {
  brow: { kind: "video", text: "a furrowed brow" },
  smile: { kind: "video", text: "a wide smile" },
  tears: { kind: "video", text: "tears" },
  voice: { kind: "audio", text: "a loud voice" },
} satisfies Record<string, Cue>;
const bank: ClaimBank = Object.values(cues);

/** Three in four of the angry have a furrowed brow, half of either have a wide smile, the others tears; all have a loud voice. */
const clips = Array.from({ length: 400 }, (_, i) => ({
  id: `${i}`,
  labels: [i % 2 === 0 ? "angry" : "sad"],
  cues: [
    ...(i % 2 === 0 && i % 8 < 6 ? [cues.brow] : []),
    Math.floor(i / 8) % 2 === 0 ? cues.smile : cues.tears,
    cues.voice,
    { kind: "emotion", text: "the person is angry" } as const,
  ],
}));

async function ask(some: readonly (typeof clips)[number][] = clips, seed = 1, prior?: CuePrior) {
  const sources = { bank, prior: prior ?? (await cuePrior(clips, bank, embedder, 1)), embedder, areComplete: true };
  return drawCueProbes(some, sources, createRandom(seed));
}

test("what is asked is as the clip has it, and every clip is asked once", async () => {
  const probes = await ask();
  assert.equal(probes.length, clips.length);
  for (const [i, probe] of probes.entries()) {
    if (probe === null) continue;
    assert.equal(clips[i]!.cues.some(({ text }) => text === probe.cue.text) ? "yes" : "no", probe.expected);
    assert.equal(probe.cue.kind, probe.modality);
  }
  assert.ok(probes.filter((probe) => probe !== null).length > 0.9 * clips.length);
});

test("of one emotion and cue, yes is right about as often as no", async () => {
  const counts = new Map<string, { yes: number; no: number }>();
  for (let seed = 0; seed < 8; seed++) {
    for (const [i, probe] of (await ask(clips, seed)).entries()) {
      if (probe === null || probe.modality !== "video") continue;
      const key = `${clips[i]!.labels[0]} ${probe.cue.text}`;
      const count = counts.get(key) ?? { yes: 0, no: 0 };
      count[probe.expected]++;
      counts.set(key, count);
    }
  }
  const brows = counts.get("angry a furrowed brow")!;
  const share = brows.yes / (brows.yes + brows.no);
  assert.ok(brows.no > 40 && share > 0.4 && share < 0.65, `${JSON.stringify(brows)}: three in four have it`);
  // negative control: without twins and weights it would be answered by the emotion
  const all = clips.filter(({ labels }) => labels[0] === "angry");
  assert.equal(
    all.filter(({ cues: own }) => own.some(({ text }) => text === cues.brow.text)).length / all.length,
    0.75,
  );
});

test("the absent cue that the emotion suggests is asked for, not any", async () => {
  const lacks = [{ id: "x", labels: ["angry"], cues: [cues.smile] }];
  const asked = new Map<string, number>();
  for (let seed = 0; seed < 200; seed++) {
    const [probe] = await ask(
      lacks as never,
      seed,
      () =>
        ({ bank: b }) =>
          bank[b] === cues.brow ? 0.8 : 0.05,
    );
    if (probe?.modality === "video") asked.set(probe.cue.text, (asked.get(probe.cue.text) ?? 0) + 1);
  }
  assert.ok(asked.get("a furrowed brow")! > 5 * (asked.get("tears") ?? 0));
  assert.equal(asked.get("a wide smile"), undefined, "with nobody beside it, it is asked what it lacks");
});

test("what is half alike is neither there nor absent", async () => {
  const deep = [{ id: "x", labels: ["angry"], cues: [{ kind: "video", text: "a deep furrowed brow" } as const] }];
  for (let seed = 0; seed < 40; seed++) {
    const [probe] = await ask(deep as never, seed);
    assert.notEqual(probe?.expected === "no" && probe.cue.text, "a furrowed brow");
  }
});

test("a clip of which nothing can be asked has no probe; a seed draws the same", async () => {
  const nothing = [{ id: "x", labels: [], cues: [] }];
  const prior: CuePrior = () => () => 0.1;
  assert.deepEqual(await drawCueProbes(nothing, { bank: [], prior, embedder, areComplete: true }, createRandom(1)), [
    null,
  ]);
  assert.deepEqual(await ask(), await ask());
  assert.notDeepEqual(await ask(), await ask(clips, 2));
});

test("of a modality that nobody annotated nothing is asked, unless annotations are complete", async () => {
  const silent = [{ id: "x", labels: ["angry"], cues: [cues.smile] }];
  const prior: CuePrior = () => () => 0.5;
  const asked = async (areComplete: boolean) => {
    const all = new Set<string | undefined>();
    for (let seed = 0; seed < 40; seed++) {
      const [probe] = await drawCueProbes(silent, { bank, prior, embedder, areComplete }, createRandom(seed));
      all.add(probe?.modality);
    }
    return all;
  };
  assert.ok((await asked(true)).has("audio"));
  assert.deepEqual(await asked(false), new Set(["video", undefined]));
});
