// What the demo, a run and a theatre can be told, and what wrong settings are answered.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { demoSchema } from "../../src/recipes/demo/config.ts";
import { listPresets } from "../../src/recipes/presets/preset-list.ts";
import { defaultPlanConfig, planSchema } from "../../src/recipes/theatre/build-theatre.ts";
import { resolveRunConfig } from "../../src/recipes/train/run-config.ts";
import { paperTerms, termProblem } from "../../src/rl/rewards/terms.ts";
import { ConfigError, configToYaml, resolveConfig } from "../../src/run/config.ts";
import { trainSchema } from "../../src/train/config.ts";
import { presets } from "../../src/train/presets.ts";

const folder = mkdtempSync(join(tmpdir(), "oppo-recipe-config-"));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function problem(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    return (error as Error).message.replaceAll(`${folder}/`, "");
  }
  return assert.fail("expected an error");
}

describe("the demo's settings", () => {
  const demo = (...overrides: string[]) => resolveConfig(demoSchema, { overrides });

  test("run the first, the second and the fifth preset by default, and can be made smaller", () => {
    assert.deepEqual(demo().arms, ["baseline", "reward-only", "oppo"]);
    assert.equal(demo("clips.sft=10").clips.sft, 10);
    assert.equal(demo("clips.sft=10").clips.rl, demo().clips.rl, "the others stay");
    assert.deepEqual(demo("arms=oppo,papo").arms, ["oppo", "papo"]);
  });

  test("are strict: unknown names, wrong types and values out of range are refused by name", () => {
    assert.match(
      problem(() => demo("clip.sft=10")),
      /--set clip\.sft=10: expected a known setting.*"clips\.sft"/,
    );
    assert.match(
      problem(() => demo("clips.train=10")),
      /expected a known setting, got "clips\.train"/,
    );
    assert.match(
      problem(() => demo("seeds=0")),
      /--set seeds=0: seeds: expected number to be >=1, got 0/,
    );
    assert.match(
      problem(() => demo("arms=[opo]")),
      /arms\.0: expected one of "baseline".*got "opo"/,
    );
    assert.match(
      problem(() => demo("sft.steps=many")),
      /sft\.steps: expected number, got "many"/,
    );
    const typo = file("demo.yaml", "seed: 1\nclips:\n  sft: 5\n  rll: 5\n");
    assert.match(
      problem(() => resolveConfig(demoSchema, { file: typo })),
      /^demo\.yaml:4: expected a known setting, got "clips\.rll"\. Did you mean "clips\.rl"\?/,
    );
    assert.throws(() => demo("seed=-1"), ConfigError);
  });
});

describe("a run's settings", () => {
  const given = ["model=m", "data=d.jsonl"];

  test("come from the preset, then the file, then the overrides, and config.yaml repeats them", () => {
    const changes = file("run.yaml", "steps: 5\nperception:\n  maskRatio: 0.6\n");
    const config = resolveRunConfig({ preset: "oppo-paper", file: changes, overrides: [...given, "steps=7"] });
    assert.deepEqual(
      [config.preset, config.steps, config.perception.maskRatio, config.perception.reduction, config.groupSize],
      ["oppo-paper", 7, 0.6, "sum", 4],
    );
    const written = file("config.yaml", configToYaml(config, "resolved"));
    assert.deepEqual(resolveRunConfig({ file: written, overrides: [] }), config);
    assert.deepEqual(resolveRunConfig({ preset: "oppo-paper", file: written, overrides: [] }), config);
  });

  test("say what is missing, unknown or contradictory", () => {
    const run = (sources: Partial<Parameters<typeof resolveRunConfig>[0]>) =>
      problem(() => resolveRunConfig({ overrides: [], ...sources }));
    assert.match(run({}), /^model: expected the folder of the model to start from, got none\. Give --model DIR\./);
    assert.match(run({ overrides: ["model=m"] }), /^data: expected a file of samples, got none\. Give --data/);
    assert.match(run({ preset: "opo" }), /^preset: expected one of baseline, .*, got "opo"\./);
    const other = file("other.yaml", "preset: baseline\n");
    assert.match(run({ preset: "oppo", file: other, overrides: given }), /--preset oppo: expected the preset of other/);
    assert.match(run({ overrides: [...given, "learningrate=1"] }), /Did you mean "learningRate"\?/);
    assert.match(run({ overrides: [...given, "groupSize=1"] }), /groupSize: expected number to be >=2, got 1/);
  });
});

describe("reward terms", () => {
  test("come from the configuration; doubled and unknown ones are refused", () => {
    const given = (terms: string) => () => resolveConfig(trainSchema, { overrides: [`reward.terms=${terms}`] });
    const { terms } = given("[{ name: format, weight: 2 }]")().reward;
    assert.deepEqual(terms, [{ name: "format", weight: 2 }]);
    const twice = "[{ name: format, weight: 1 }, { name: format, weight: 1 }]";
    assert.throws(given(twice), /reward\.terms: expected every reward term once, got "format" twice/);
    assert.throws(given("[{ name: length, weight: 1 }]"), /expected one of "accuracy", "format", "omni"/);
    assert.throws(given("[]"), /reward\.terms/);
    assert.equal(termProblem([{ name: "reward" }]), 'expected a name that logs do not use, got "reward"');
    assert.equal(termProblem(paperTerms), null);
  });
});

describe("listPresets", () => {
  test("shows exactly what each preset changes", () => {
    const listed = listPresets();
    assert.deepEqual(
      listed.map(({ name }) => name),
      Object.keys(presets),
    );
    const changes = (name: string) =>
      Object.fromEntries(listed.find((preset) => preset.name === name)!.differences.map((d) => [d.path, d.value]));
    assert.deepEqual(changes("oppo"), {}, "the default settings are OPPO's");
    const unpaid = paperTerms.map((term) => (term.name === "omni" ? { ...term, weight: 0 } : term));
    const rewardOnly = changes("reward-only");
    assert.equal(rewardOnly["perception.views"], "none");
    assert.deepEqual(changes("baseline"), { ...rewardOnly, "reward.terms": unpaid });
    assert.equal(changes("oppo-paper")["perception.perceptionLossWeight"], 8e-3);
    assert.equal(changes("oppo-paper")["perception.reduction"], "sum");
    assert.equal(changes("papo")["perception.views"], "papo");
  });
});

describe("a theatre's plan", () => {
  test("changes one split by name, and a file brings splits of its own", () => {
    const changed = resolveConfig(planSchema, { preset: defaultPlanConfig, overrides: ["splits.sft.numClips=3"] });
    assert.deepEqual(changed.splits.sft, { kind: "train", numClips: 3 });
    assert.ok(Object.keys(changed.splits).length > 1);
    const own = file("plan.yaml", "splits: { mine: { kind: conflict, numClips: 2 } }\n");
    const plan = resolveConfig(planSchema, { file: own });
    assert.deepEqual(plan.splits, { mine: { kind: "conflict", numClips: 2 } });
    assert.equal(plan.format.size, changed.format.size);
    assert.match(
      problem(() => resolveConfig(planSchema, { preset: defaultPlanConfig, overrides: ["splits.sft.kind=happy"] })),
      /splits\.sft\.kind: expected one of "train"/,
    );
    const outside = file("outside.yaml", "splits: { ../evil: { kind: conflict, numClips: 2 } }\n");
    assert.match(
      problem(() => resolveConfig(planSchema, { file: outside })),
      /\.\.\/evil/,
    );
  });
});
