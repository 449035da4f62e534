// A grid of conditions with a respondent that says what it is told to: every figure by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultBootstrapOptions } from "../../../src/bench/bootstrap.ts";
import { buildCueBank } from "../../../src/bench/cue-bank.ts";
import { reportOf } from "../../../src/bench/measure.ts";
import type { Query, Respondent } from "../../../src/bench/respondent.ts";
import { conditionGrid, conditionName, conditionView } from "../../../src/bench/support/conditions.ts";
import { flatSupport, measureSupport } from "../../../src/bench/support/measure-support.ts";
import type { Cue } from "../../../src/evidence/cue.ts";
import { testSample } from "../../support/rollouts.ts";
import { wordEmbedder } from "../../support/word-embedder.ts";

const cues: readonly Cue[] = [
  { kind: "video", text: "a frown" },
  { kind: "video", text: "a smile" },
  { kind: "audio", text: "sobs" },
];
const bank = await buildCueBank(cues, wordEmbedder(["frown", "smile", "sobs"]));
const frowning = testSample("frowning", { labels: ["angry"], cues: [cues[0]!, cues[2]!] });
const smiling = testSample("smiling", { labels: ["happy"], cues: [cues[1]!] });
const samples = [frowning, smiling];
const say = (think: string): string => `<think>${think}</think><answer>x</answer>`;

const seen: Query[] = [];
/** Always sees a frown. */
const stubborn: Respondent = {
  name: "stubborn",
  respond: (queries) => {
    seen.push(...queries);
    return queries.map(() => say("a frown."));
  },
};
/** All is readable at less than full dose, nothing at full dose. */
const observe = (views: readonly Query["view"][]) =>
  views.map(({ mask }) => Float32Array.from(cues, () => (mask?.ratio === 1 ? 0.3 : 0.9)));

const base = { samples, bank, observe, seed: 3, question: "?", answerStyle: "tagged" } as const;
const value = (measures: Parameters<typeof reportOf>[0], name: string) =>
  reportOf(measures, defaultBootstrapOptions)[name]!.value;

test("a grid has dose 0 once, and names", () => {
  const grid = conditionGrid("video", ["grey", "blur"], [0, 0.5, 1]);
  assert.deepEqual(grid.map(conditionName), [
    "video grey:0",
    "video grey:0.5",
    "video grey:1",
    "video blur:0.5",
    "video blur:1",
  ]);
});

test("a view has the mask of its condition, the same for everyone, and none at dose 0", () => {
  const condition = { modality: "video", kind: "blur", dose: 0.5 } as const;
  assert.deepEqual(conditionView(frowning, condition, 3), conditionView(frowning, condition, 3));
  assert.notEqual(conditionView(frowning, condition, 3).mask!.seed, conditionView(smiling, condition, 3).mask!.seed);
  assert.equal(conditionView(frowning, { ...condition, dose: 0 }, 3).mask, undefined);
});

test("the same claim is supported where its cue is there and readable, and nowhere else", async () => {
  const conditions = conditionGrid("video", ["grey"], [0, 1]);
  const rows = await measureSupport(stubborn, { ...base, conditions, absenceOf: () => null });
  const [intact, grey] = rows.map(({ measures }) => measures);
  assert.equal(value(intact!, "supported"), 0.5);
  assert.equal(value(intact!, "absent"), 0.5);
  assert.equal(value(intact!, "missed"), 0.5);
  assert.equal(value(intact!, "recallReadable"), 0.5);
  assert.equal(value(grey!, "supported"), 0);
  assert.equal(value(grey!, "unsupported"), 1);
  assert.equal(value(grey!, "unreadable"), 0.5);
  assert.equal(value(grey!, "saysUnseen"), 0);
  assert.deepEqual(rows[0]!.responses, [say("a frown."), say("a frown.")]);
});

test("under another clip's picture the truth is the other clip's; without a partner the clip's own", async () => {
  const conditions = [
    { modality: "video", kind: "swap", dose: 1 },
    { modality: "video", kind: "swap", dose: 0.5 },
  ] as const;
  const all = () => samples.map(() => Float32Array.from(cues, () => 0.9));
  const partnersOf = (sample: typeof frowning) => samples.filter((other) => other !== sample);
  seen.length = 0;
  const rows = await measureSupport(stubborn, { ...base, conditions, observe: all, partnersOf });
  assert.deepEqual(
    seen.slice(0, 2).map(({ view }) => view.mask!.partners.map(({ id }) => id)),
    [["smiling"], ["frowning"]],
  );
  // The frowning clip shows a smile: its claim is absent, the smile is missed. The smiling one shows the frown.
  assert.equal(value(rows[0]!.measures, "absent"), 0.5);
  assert.equal(value(rows[0]!.measures, "supported"), 0.5);
  assert.equal(value(rows[0]!.measures, "missed"), 0.5);
  // Half of each: both cues are there.
  assert.equal(value(rows[1]!.measures, "absent"), 0);
  assert.equal(value(rows[1]!.measures, "missed"), 1);
});

test("babble adds no cue of those who babble", async () => {
  const conditions = [{ modality: "audio", kind: "babble", dose: 1 }] as const;
  const sobbing: Respondent = { name: "sobbing", respond: (queries) => queries.map(() => say("sobs.")) };
  const partnersOf = () => [frowning];
  const all = () => [Float32Array.from(cues, () => 0.9)];
  const [row] = await measureSupport(sobbing, { ...base, samples: [smiling], conditions, observe: all, partnersOf });
  assert.equal(value(row!.measures, "absent"), 1);
});

test("all rows as one list of measures", () => {
  const measure = { group: "clips", parts: [{ sums: [1], counts: [1] }], count: 1 };
  const condition = { modality: "audio", kind: "hum", dose: 1 } as const;
  assert.deepEqual(flatSupport([{ condition, measures: { claims: measure } }]), { "audio hum:1/claims": measure });
});
