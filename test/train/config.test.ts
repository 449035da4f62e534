// What the demo, a run and a theatre can be told, and what wrong settings are answered.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { demoSchema } from "../../src/recipes/demo/config.ts";
import { listPresets } from "../../src/recipes/presets/preset-list.ts";
import { planText, planWithClips, resolveTheatre } from "../../src/recipes/theatre/plan-settings.ts";
import { resolveTrain } from "../../src/recipes/train/run-config.ts";
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

  test("compare three presets and honest labels by default, and can be made smaller", () => {
    assert.deepEqual(demo().arms, ["baseline", "reward-only", "oppo", "honest-labels"]);
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
  const given = ["run=runs/x", "model=m", "data=d.jsonl"];
  const flag = (path: string, ...texts: string[]) => ({ path, flag: `--${path}`, texts });

  test("come from the preset, then the file, then the overrides, and config.yaml repeats them", () => {
    const changes = file("run.yaml", "steps: 5\nperception:\n  maskRatio: 0.6\n");
    const preset = flag("preset", "oppo-paper");
    const { run, client, ...config } = resolveTrain({
      flags: [preset, flag("seed", "3")],
      file: changes,
      overrides: [...given, "steps=7", "seed=1"],
    });
    assert.deepEqual([run, client.timeout, config.seed], ["runs/x", 120, 3]);
    assert.deepEqual(
      [config.preset, config.steps, config.perception.maskRatio, config.perception.reduction, config.groupSize],
      ["oppo-paper", 7, 0.6, "sum", 4],
    );
    const written = file("config.yaml", configToYaml(config, "resolved"));
    const again = { file: written, overrides: ["run=runs/x"] };
    assert.deepEqual(resolveTrain(again), { run, client, ...config });
    assert.deepEqual(resolveTrain({ ...again, flags: [preset] }), { run, client, ...config });
    assert.equal(resolveTrain({ overrides: [...given, "preset=oppo-paper"] }).perception.reduction, "sum");
  });

  test("say what is missing, unknown or contradictory", () => {
    const run = (sources: Partial<Parameters<typeof resolveTrain>[0]>) =>
      problem(() => resolveTrain({ overrides: ["run=r"], ...sources }));
    assert.match(run({}), /^model: expected string, got nothing\.$/);
    assert.match(run({ overrides: ["run=r", "model=m"] }), /^data: expected string, got nothing\.$/);
    assert.match(run({ flags: [flag("preset", "opo")] }), /^preset: expected one of baseline, .*, got "opo"\./);
    const other = file("other.yaml", "preset: baseline\n");
    assert.match(
      run({ flags: [flag("preset", "oppo")], file: other, overrides: given }),
      /--preset oppo: expected the preset of other/,
    );
    assert.match(run({ overrides: [...given, "lr=1"] }), /^--set lr=1: .*Did you mean "learningRate"\?$/);
    assert.match(run({ overrides: [...given, "delta=1"] }), /Did you mean "reward\.similarityThreshold"\?$/);
    assert.match(run({ overrides: [...given, "groupSize=1"] }), /groupSize: expected number to be >=2, got 1/);
  });

  test("that do nothing under the others are refused, unless a preset or a run's own config.yaml has them", () => {
    const idle = (...overrides: string[]) => problem(() => resolveTrain({ overrides: [...given, ...overrides] }));
    assert.equal(
      idle("preset=baseline", "perception.maskRatio=0.5"),
      "--set perception.maskRatio=0.5 has no effect: perception.views is none, so no masked input is looked at. Leave it out, or change that.",
    );
    assert.match(idle("perception.anchorWeight=0", "perception.anchorTo=full"), /anchorTo=full has no effect/);
    assert.match(idle("client.timeout=3"), /client\.timeout=3 has no effect: no server is asked/);
    assert.match(
      problem(() => resolveTrain({ overrides: given, flags: [flag("client.cache", "x")] })),
      /^--client\.cache x has no effect: only vectors/,
    );
    const inFile = file("idle.yaml", "preset: baseline\nperception:\n  maskRatio: 0.5\n");
    assert.match(
      problem(() => resolveTrain({ file: inFile, overrides: given })),
      /^idle\.yaml:3: perception\.maskRatio has no effect/,
    );
    const doses = "perception.maskDoses={ low: 0.2 }";
    assert.match(
      idle(doses, "perception.maskRatio=0.5"),
      /maskRatio=0\.5 has no effect: perception\.maskDoses says it/,
    );
    assert.match(
      idle("perception.target=calibrated", "perception.capNats=null"),
      /expected capNats and the full-vocab/,
    );
    assert.match(idle("perception.maskFamily.video=[fog]"), /expected one of "swap", "units", "black"/);
    // Every setting stands in a config.yaml, as the preset and the defaults have it.
    const { run: _, client: __, ...config } = resolveTrain({ overrides: [...given, "preset=baseline"] });
    const whole = file("whole.yaml", configToYaml(config, "resolved"));
    assert.equal(resolveTrain({ file: whole, overrides: ["run=r"] }).perception.views, "none");
    // And what has an effect passes.
    resolveTrain({ overrides: [...given, "perception.maskRatio=0.5", "perception.anchorTo=full"] });
    resolveTrain({ overrides: [...given, "embedder=endpoint:http://h/v1#m", "client.timeout=3"] });
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
    const changed = resolveTheatre({ overrides: ["splits.sft.numClips=3"] });
    assert.deepEqual(changed.splits.sft, { kind: "train", numClips: 3 });
    assert.ok(Object.keys(changed.splits).length > 1);
    const own = file("plan.yaml", "splits: { mine: { kind: conflict, numClips: 2 } }\n");
    const plan = resolveTheatre({ file: own });
    assert.deepEqual(plan.splits, { mine: { kind: "conflict", numClips: 2 } });
    assert.equal(plan.format.size, changed.format.size);
    assert.match(
      problem(() => resolveTheatre({ overrides: ["splits.sft.kind=happy"] })),
      /splits\.sft\.kind: expected one of "train"/,
    );
    const outside = file("outside.yaml", "splits: { ../evil: { kind: conflict, numClips: 2 } }\n");
    assert.match(
      problem(() => resolveTheatre({ file: outside })),
      /\.\.\/evil/,
    );
  });

  test("shares so many clips out over its splits, and says what it is", () => {
    const plan = resolveTheatre({});
    assert.match(planText(plan), /^3000 clips of 2 s at 256 x 256: warm-up 1000 \(decorrelated\), sft 800/);
    for (const numClips of [6, 7, 60, 2999, 9000]) {
      const counts = Object.values(planWithClips(plan, numClips).splits).map((split) => split.numClips);
      assert.equal(
        counts.reduce((sum, part) => sum + part, 0),
        numClips,
      );
      assert.ok(Math.min(...counts) >= 1, String(counts));
      assert.ok(numClips < 60 || counts[0] === Math.max(...counts), String(counts));
    }
    assert.equal(planWithClips(plan, null), plan);
    assert.throws(() => planWithClips(plan, 5), { code: "ERR_PLAN", message: /one for each of the 6 splits/ });
  });
});
