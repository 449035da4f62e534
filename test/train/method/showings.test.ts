// Which prompts of a step are what, and in which words probes are asked.
import assert from "node:assert/strict";
import { test } from "node:test";
import { theatreKind } from "../../../src/corpus/theatre-kind.ts";
import { resolveConfig } from "../../../src/run/config.ts";
import { trainSchema } from "../../../src/train/config.ts";
import { claimSources } from "../../../src/train/grpo.ts";
import { drawShowings } from "../../../src/train/method/showings.ts";
import type { GrpoTask } from "../../../src/train/method/task.ts";
import { stepRoles } from "../../../src/train/step-prompts.ts";
import { testSample } from "../../support/rollouts.ts";

const cue = (kind: "video" | "audio", text: string) => ({ kind, text });
const samples = Array.from({ length: 12 }, (_, i) =>
  testSample(`${i}`, {
    labels: ["angry"],
    cues: [cue("video", i % 3 === 0 ? "a frown" : "a furrowed brow"), cue("audio", "a loud voice")],
  }),
);

function taskWith(...overrides: string[]): GrpoTask {
  const terms = "reward.terms=[{ name: format, weight: 1 }, { name: verdict, weight: 1 }]";
  const config = resolveConfig(trainSchema, { overrides: [...(overrides.length > 0 ? [terms] : []), ...overrides] });
  const embedder = theatreKind.embedder();
  return { config, embedder, samples, claims: claimSources({ config, samples, embedder }) } as unknown as GrpoTask;
}

test("every prompt is one thing, drawn by its clip's name", () => {
  const key = { seed: 3, step: 5 };
  const { degraded, probes } = stepRoles(samples, { rolloutShare: 0.25, probeShare: 0.5 }, key);
  assert.equal(degraded.size, 3);
  assert.equal(probes.length, 6);
  assert.ok(probes.every((place) => !degraded.has(place)));
  const turned = stepRoles([...samples].reverse(), { rolloutShare: 0.25, probeShare: 0.5 }, key);
  const ids = (some: Iterable<number>, of = samples) => [...some].map((place) => of[place]!.id).sort();
  assert.deepEqual(ids(turned.probes, [...samples].reverse()), ids(probes));
  assert.notDeepEqual(
    ids(stepRoles(samples, { rolloutShare: 0, probeShare: 0.5 }, { seed: 3, step: 6 }).probes),
    ids(probes),
  );
  assert.deepEqual(
    ids(stepRoles(samples, { rolloutShare: 0.25, probeShare: 0 }, key).degraded),
    ids(degraded),
    "probes leave the degraded ones what they were",
  );
});

test("probes ask with the benchmark's ending where the model was not taught the question", async () => {
  const shown = await drawShowings(taskWith("probeShare=0.5", "perception.rolloutShare=0.25"), samples, 5);
  const asked = shown.flatMap((one) => (one.asked === null ? [] : [one.asked]));
  assert.ok(asked.length >= 3 && asked.length <= 6);
  for (const { question } of asked) {
    assert.match(
      question,
      /^Does the (video show|audio contain) .*\? Reason in <think><\/think>, then answer yes or no/,
    );
  }
  assert.ok(shown.every(({ isDegraded, asked: probe }) => !(isDegraded && probe !== null)));
  assert.deepEqual(await drawShowings(taskWith("probeShare=0.5", "perception.rolloutShare=0.25"), samples, 5), shown);
});

test("without a share there is none, and nothing is counted for it", async () => {
  const task = taskWith();
  assert.deepEqual(task.claims, {});
  assert.ok((await drawShowings(task, samples, 5)).every(({ isDegraded, asked }) => !isDegraded && asked === null));
});
