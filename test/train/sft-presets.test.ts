// Presets of a cold start, and how a preset is chosen: by option, override or file, never by two that differ.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { listSftPresets } from "../../src/recipes/presets/preset-list.ts";
import { resolveSft } from "../../src/recipes/sft/settings.ts";
import { resolveConfig } from "../../src/run/config.ts";
import { choosePreset } from "../../src/train/choose-preset.ts";
import { sftSchema } from "../../src/train/sft-config.ts";
import { sftPresets } from "../../src/train/sft-presets.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const gated = ["decoder", "projector", "gate"];

test("every preset is a valid configuration; the paper's has the paper's figures", () => {
  for (const { config } of Object.values(sftPresets)) resolveConfig(sftSchema, { preset: config });
  const { samples, learningRate, epochs } = resolveConfig(sftSchema, { preset: sftPresets["sft-paper"].config });
  assert.deepEqual([samples, learningRate, epochs], [5000, 2e-5, 2]);
  const [cold, labels] = [sftPresets["sft-r1-omni"], sftPresets["sft-labels"]].map(({ config }) =>
    resolveConfig(sftSchema, { preset: config }),
  );
  const figures = (one: typeof cold) => [one!.epochs, one!.samplesPerStep, one!.learningRate, one!.warmupRatio];
  assert.deepEqual(
    [figures(cold), figures(labels)],
    [
      [5, 16, 2e-5, 0.03],
      [1, 128, 2e-5, 0.03],
    ],
  );
  assert.deepEqual([cold!.schedule, cold!.parts, labels!.parts], ["cosine", gated, gated]);
  const listed = listSftPresets();
  assert.deepEqual(
    listed.map(({ name }) => name),
    Object.keys(sftPresets),
  );
  assert.deepEqual(listed[0]!.differences, []);
  assert.deepEqual(listed[1]!.differences[0], { path: "samples", value: 5000, standard: null });
});

test("option and override come before the standard; a file's preset stands alone or agrees", (t) => {
  const chosen = (sources: Parameters<typeof choosePreset>[2]) =>
    (choosePreset(sftPresets, "sft", sources) as { preset: string }).preset;
  const flags = [{ path: "preset", flag: "--preset", texts: ["sft-try"] }];
  const file = join(temporaryFolder(t), "run.yaml");
  writeFileSync(file, "preset: sft-paper\n");
  assert.equal(chosen({}), "sft");
  assert.equal(chosen({ flags }), "sft-try");
  assert.equal(chosen({ overrides: ["preset=sft-try"] }), "sft-try");
  assert.equal(chosen({ file }), "sft-paper");
  assert.throws(
    () => chosen({ file, flags }),
    /--preset sft-try: expected the preset of .*run\.yaml, which is sft-paper/,
  );
  assert.throws(() => chosen({ overrides: ["preset=none"] }), /preset: expected one of sft, sft-paper, .*got "none"/);
});

test("the warm-up is a number of steps or a share of them, not both", () => {
  const given = (...overrides: string[]) =>
    resolveSft({ overrides: ["run=r", "model=m", "data=d.jsonl", "preset=sft-r1-omni", ...overrides] });
  assert.equal(given("warmupRatio=0.1").warmupRatio, 0.1);
  assert.throws(() => given("warmupSteps=7"), /warmupSteps.*warmupRatio says how many/);
  assert.equal(given("warmupSteps=7", "warmupRatio=null").warmupSteps, 7);
});
