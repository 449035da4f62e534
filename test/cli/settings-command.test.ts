// A schema as a command line: what its flags are, who wins, what is printed of it, and what wrong use is told.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { Command } from "commander";
import { z } from "zod";
import { type Call, type SettingsSpec, withSettings } from "../../src/cli/base/settings-command.ts";

const schema = z.strictObject({
  out: z.string().meta({ description: "where it goes", value: "folder" }),
  steps: z.int().min(1).default(60).meta({ description: "optimiser steps", paper: "3262", source: "Sec. 5" }),
  dataset: z.array(z.string()).default([]).describe("which; repeatable"),
  color: z.boolean().default(true).describe("print in color"),
  dry: z.boolean().default(false).describe("only say what would be done"),
  style: z.enum(["tagged", "free"]).default("tagged").describe("of answers"),
  note: z.string().nullable().default(null).meta({ description: "a note", standard: "none" }),
  extra: z.record(z.string(), z.unknown()).nullable().default(null).describe("further fields"),
  loss: z
    .strictObject({
      maskRatio: z
        .union([z.number().min(0).max(1), z.literal("mixed")])
        .default("mixed")
        .meta({ description: "share that is masked", symbol: "rho", paper: "0.7", source: "Eq. 6" }),
    })
    .prefault({}),
  client: z
    .strictObject({ timeout: z.number().positive().max(300).default(120).describe("for one request") })
    .prefault({})
    .meta({ isPlain: true, group: "Asking:" }),
});
const spec: SettingsSpec<typeof schema> = {
  schema,
  idle: [{ paths: ["loss"], when: ({ dry }) => dry, why: "nothing is trained with --dry" }],
  inHelp: ["out", "steps", "client.timeout"],
  retired: {
    "--server <url>": { instead: "--endpoint URL#MODEL" },
    "--out-model <name>": { instead: "--out URL#MODEL", joins: "--out" },
  },
};

const folder = mkdtempSync(join(tmpdir(), "oppo-settings-"));
after(() => rmSync(folder, { recursive: true }));

type Result = { readonly settings: z.output<typeof schema>; readonly call: Call };

async function run(...words: string[]): Promise<Result> {
  const command = new Command("try")
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .argument("<set>");
  let result: Result | null = null;
  withSettings(command, spec, (settings, call) => {
    result = { settings: settings as Result["settings"], call };
  });
  command.option("--json");
  await command.parseAsync(words, { from: "user" });
  return result!;
}

describe("a command with a schema", () => {
  test("a former option that named a model is joined to its address, once", async () => {
    const { settings } = await run("s", "--out", "http://h", "--out-model", "m");
    assert.equal(settings.out, "http://h#m");
    assert.equal((await run("s", "--out", "http://h")).settings.out, "http://h");
    const twice = { code: "ERR_USAGE", message: /^--out-model: it is written --out URL#MODEL now/ };
    await assert.rejects(run("s", "--out", "http://h#a", "--out-model", "m"), twice);
  });

  test("takes every setting as a flag, over a file and --set", async () => {
    const file = join(folder, "a.yaml");
    writeFileSync(file, "steps: 5\nstyle: free\nloss: { maskRatio: 0.2 }\n");
    const { settings, call } = await run(
      ...["s", "--out", "o", "--config", file, "--set", "loss.maskRatio=0.3", "--set", "client.timeout=9"],
      ...["--loss-mask-ratio", "0.5", "--dataset", "a,b", "--dataset", "c", "--no-color", "--note", "yes: #no"],
      ...["--extra", '{"fps": 2}', "--json"],
    );
    assert.deepEqual(settings, {
      out: "o",
      steps: 5,
      dataset: ["a", "b", "c"],
      color: false,
      dry: false,
      style: "free",
      note: "yes: #no",
      extra: { fps: 2 },
      loss: { maskRatio: 0.5 },
      client: { timeout: 9 },
    });
    assert.deepEqual(call, { args: ["s"], isJson: true });
    assert.deepEqual((await run("s", "--out", "o")).settings.loss, { maskRatio: "mixed" });
    assert.equal((await run("s", "--out", "o", "--timeout", "3", "--timeout", "4")).settings.client.timeout, 4);
  });

  test("says what is wrong in the words that were typed, as wrong usage", async () => {
    const cases: readonly (readonly [words: string[], code: string, message: RegExp])[] = [
      [["s"], "ERR_USAGE", /^required option '--out <folder>' not specified/],
      [["s", "--out", "o", "--steps", "x"], "ERR_USAGE", /^--steps x: expected number, got "x" \(string\)\.$/],
      [["s", "--out", "o", "--steps", "0"], "ERR_USAGE", /^--steps 0: expected number to be >=1, got 0/],
      [["s", "--out", "o", "--style", "odd"], "ERR_USAGE", /^--style odd: expected one of "tagged", "free"/],
      [["s", "--out", "o", "--set", "steps=0"], "ERR_CONFIG", /^--set steps=0: /],
      [["s", "--out", "o", "--extra", "{"], "ERR_USAGE", /^--extra \{: expected a YAML value/],
      [["s", "--out", "o", "--server", "http://h"], "ERR_USAGE", /^--server: it is written --endpoint URL#MODEL now/],
      [
        ["s", "--out", "o", "--dry", "--loss-mask-ratio", "1"],
        "ERR_CONFIG",
        /^--loss-mask-ratio 1 has no effect: noth/,
      ],
    ];
    for (const [words, code, message] of cases) await assert.rejects(run(...words), { code, message }, words.join(" "));
    await run("s", "--out", "o", "--dry");
  });

  test("prints its settings without its arguments, for people and for programs", async (t) => {
    const printed: string[] = [];
    t.mock.method(console, "log", (line: string) => printed.push(line));
    assert.equal(await run("--settings"), null);
    await run("--json", "--settings");
    t.mock.restoreAll();
    assert.match(printed[0]!, /^try: its settings/);
    assert.match(
      printed[0]!,
      /\nloss\.maskRatio +mixed +0 to 1 or mixed +rho = 0\.7 \(Eq\. 6\)\n {4}share that is masked\n/,
    );
    assert.match(printed[0]!, /\nout +\(required\)/);
    const { schema: shape, settings } = JSON.parse(printed[1]!);
    assert.equal(shape, "oppo.settings/1");
    assert.deepEqual(settings[1], {
      path: "steps",
      description: "optimiser steps",
      default: 60,
      range: "whole, 1 or more",
      symbol: null,
      paper: "3262",
      source: "Sec. 5",
      isRequired: false,
    });
  });

  test("shows the flags that people start with, and takes the others all the same", () => {
    const command = withSettings(new Command("try"), spec, () => undefined);
    const help = command.helpInformation();
    assert.match(help, /--out <folder> +where it goes \(required\)/);
    assert.match(help, /Asking:\n +--timeout <number>/);
    assert.match(help, /also\s+the 7 that are not shown here/);
    assert.doesNotMatch(help, /--loss-mask-ratio|--server/);
  });
});
