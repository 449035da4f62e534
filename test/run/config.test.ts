// Where settings come from, who wins, and what each wrong one is told.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { z } from "zod";
import { ConfigError, configDifferences, configToYaml, resolveConfig } from "../../src/run/config.ts";

const schema = z
  .strictObject({
    seed: z.int().default(7),
    name: z.string().default("run"),
    preset: z.enum(["baseline", "oppo"]).default("oppo"),
    arms: z.array(z.string()).default(["oppo"]),
    training: z
      .object({
        learningRate: z.number().positive().default(3e-4),
        groupSize: z.int().min(2).default(4),
        maskRatio: z.number().min(0).max(1).optional(),
      })
      .prefault({}),
    weights: z.record(z.string(), z.number()).default({}),
    perception: z
      .discriminatedUnion("kind", [
        z.object({ kind: z.literal("none") }),
        z.object({ kind: z.literal("views"), ratio: z.number() }),
      ])
      .default({ kind: "none" }),
  })
  .superRefine((config, context) => {
    if (config.preset === "baseline" && config.training.maskRatio !== undefined) {
      context.addIssue({
        code: "custom",
        path: ["training", "maskRatio"],
        message: "has no effect under preset baseline. Remove it.",
      });
    }
  });

const folder = mkdtempSync(join(tmpdir(), "oppo-config-"));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function problem(sources: Parameters<typeof resolveConfig>[1]): string {
  try {
    resolveConfig(schema, sources);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.equal(error.code, "ERR_CONFIG");
    return error.message.replace(`${folder}/`, "");
  }
  return assert.fail("expected a ConfigError");
}

describe("YAML that leads nowhere", () => {
  it("is a problem of the file, not of the program", () => {
    const bomb = Array.from(
      { length: 12 },
      (_, i) =>
        `${"abcdefghijkl"[i]}: &x${i} [${Array(9)
          .fill(i === 0 ? "lol" : `*x${i - 1}`)
          .join(", ")}]`,
    );
    const cases: readonly [text: string, message: RegExp][] = [
      [bomb.join("\n"), /^r\.yaml: expected YAML or JSON, got Excessive alias count/],
      ["name: &a [*a]", /^r\.yaml: expected YAML or JSON, got a value that holds itself\./],
      ["name: *nobody", /^r\.yaml: expected YAML or JSON, got .*[Uu]nresolved alias/],
      [`name: ${"[".repeat(50_000)}`, /^r\.yaml(:1)?: expected YAML or JSON, got /],
      [`name: ${"x".repeat(1_000_001)}`, /^r\.yaml: expected YAML or JSON, got a text of 1000007 characters\./],
    ];
    for (const [text, message] of cases) assert.match(problem({ file: file("r.yaml", text) }), message);
    assert.match(problem({ overrides: ["seed=&a [*a]"] }), /a value that holds itself/);
    const shared = file("shared.yaml", "arms: &arms [a, b]\nweights: { x: &one 1, y: *one }");
    assert.deepEqual(resolveConfig(schema, { file: shared }).weights, { x: 1, y: 1 }, "control: an alias is read");
  });
});

describe("resolveConfig", () => {
  it("fills in defaults, then preset, then file, then overrides", () => {
    const yaml = file("a.yaml", "training:\n  groupSize: 6\n  learningRate: 1e-3\nweights: { omni: 0.5 }\n");
    const config = resolveConfig(schema, {
      preset: { seed: 1, training: { groupSize: 5, maskRatio: 0.7 } },
      file: yaml,
      overrides: ["training.groupSize=8", "name=12", "arms=[baseline, oppo]", "weights.format=0.1"],
    });
    assert.deepEqual(config, {
      seed: 1,
      name: "12",
      preset: "oppo",
      arms: ["baseline", "oppo"],
      training: { learningRate: 1e-3, groupSize: 8, maskRatio: 0.7 },
      weights: { omni: 0.5, format: 0.1 },
      perception: { kind: "none" },
    });
    assert.throws(() => Object.assign(config.training, { groupSize: 1 }), TypeError);
  });

  it("takes lists with commas, items by number, unions, and JSON with tabs", () => {
    const json = file("a.json", '{\n\t"seed": 3,\n\t"perception": { "kind": "views", "ratio": 0.7 }\n}');
    const config = resolveConfig(schema, { file: json, overrides: ["arms=a,b", "arms.1=c"] });
    assert.deepEqual([config.seed, config.arms, config.perception], [3, ["a", "c"], { kind: "views", ratio: 0.7 }]);
  });

  it("reads back what it wrote", () => {
    const config = resolveConfig(schema, { overrides: ["training.learningRate=1e-6", "name=yes: no", "seed=12"] });
    const again = resolveConfig(schema, { file: file("written.yaml", configToYaml(config, "made by\na test")) });
    assert.deepEqual(again, config);
    assert.deepEqual(configDifferences(config, again), []);
    assert.deepEqual(
      configDifferences(config, { ...config, seed: 3, training: { ...config.training, groupSize: 9 } }),
      ["seed", "training.groupSize"],
    );
  });

  it("names the nearest valid path and the line of an unknown key", () => {
    const yaml = file("b.yaml", "seed: 3\ntraining:\n  learningRate: 0.1\n  grupSize: 4\n");
    assert.equal(
      problem({ file: yaml }),
      'b.yaml:4: expected a known setting, got "training.grupSize". Did you mean "training.groupSize"?',
    );
    assert.match(
      problem({ file: file("c.yaml", "seed: 1\ngroupSize: 4\n") }),
      /^c\.yaml:2: .*Did you mean "training\.groupSize"\?$/,
    );
    assert.match(
      problem({ overrides: ["sede=3"] }),
      /^--set sede=3: expected a known setting, got "sede"\. Did you mean "seed"\?$/,
    );
    assert.match(problem({ overrides: ["lr=3"] }), /Did you mean "training\.learningRate"\?$/);
    assert.match(problem({ overrides: ["learning_rate=3"] }), /Did you mean "training\.learningRate"\?$/);
    assert.match(problem({ overrides: ["size=3"] }), /Did you mean "training\.groupSize"\?$/);
    assert.match(problem({ overrides: ["zzzzzzzzzz=3"] }), /got "zzzzzzzzzz"\. --settings lists what there is\.$/);
    assert.match(problem({ preset: { sed: 3 } }), /^preset: sed: .*Did you mean "seed"/);
    assert.match(problem({ overrides: ["__proto__.polluted=1"] }), /expected a known setting/);
    assert.equal(({} as { polluted?: number }).polluted, undefined);
  });

  it("says what was expected, what came, and where", () => {
    const yaml = file("d.yaml", "seed: 3\n\ntraining:\n  groupSize: four\n");
    assert.equal(problem({ file: yaml }), 'd.yaml:4: training.groupSize: expected number, got "four" (string).');
    assert.equal(problem({ overrides: ["seed=1.5"] }), "--set seed=1.5: seed: expected an integer, got 1.5 (number).");
    assert.match(problem({ overrides: ["training.groupSize=1"] }), /expected number to be >=2, got 1 \(number\)\.$/);
    assert.match(problem({ overrides: ["preset=opo"] }), /expected one of "baseline", "oppo", got "opo" \(string\)\.$/);
    assert.equal(problem({ preset: { seed: "x" } }), 'seed: expected number, got "x" (string).');
    assert.match(
      problem({ overrides: ["preset=baseline", "training.maskRatio=0.5"] }),
      /^--set training\.maskRatio=0\.5: .*has no effect under preset baseline/,
    );
  });

  it("names an override, not the file, when the override is at fault", () => {
    const yaml = file("e.yaml", "training: { groupSize: 4 }\n");
    assert.match(problem({ file: yaml, overrides: ["training.groupSize=x"] }), /^--set training\.groupSize=x: /);
  });

  it("turns broken texts into one sentence with the line", () => {
    assert.match(
      problem({ file: file("f.yaml", "seed: 1\nname: [a\n") }),
      /^f\.yaml:\d: expected YAML or JSON, got a syntax error/,
    );
    assert.match(problem({ file: file("g.yaml", "seed: 1\nseed: 2\n") }), /^g\.yaml:2: .*unique/);
    assert.match(problem({ file: file("h.yaml", "- a\n") }), /expected settings \(path: value\), got a list/);
    assert.match(
      problem({ file: join(folder, "none.yaml") }),
      /^none\.yaml: expected a readable configuration file, got ENOENT/,
    );
    assert.match(problem({ overrides: ["seed"] }), /^--set seed: expected path=value/);
    assert.match(problem({ overrides: ["arms=[a"] }), /^--set arms=\[a: expected a YAML value/);
  });

  it("accepts an empty file", () => {
    assert.equal(resolveConfig(schema, { file: file("empty.yaml", "# nothing\n") }).seed, 7);
  });
});
