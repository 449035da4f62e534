// docs/training.md runs: every command of the page, in its order, on a theatre that is smaller than the page's and with fewer steps.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { commands } from "../../src/cli/commands/index.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { allCommands } from "../support/help-examples.ts";
import { repositoryRoot } from "../support/repository.ts";
import { readText } from "../support/source-tree.ts";
import { sharedFolder } from "../support/temporary-folder.ts";

const page = readText("docs/training.md");
const main = join(repositoryRoot, "build/js/src/cli/main.js");
const folder = sharedFolder();

/** The lines of the page's shell blocks. */
const lines = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap((block) => block[1]!.trimEnd().split("\n"));

/** What makes a command of the page small: words that are others here, and settings behind it. */
const smaller: readonly (readonly [command: RegExp, replace: readonly (readonly [RegExp, string])[], more: string])[] =
  [
    [
      /^npx oppo theatre build/,
      [
        [/"numClips": 240/, '"numClips": 12'],
        [/"numClips": 40/, '"numClips": 4'],
      ],
      "--set format.size=112 --set format.preset=ultrafast",
    ],
    [
      /^npx oppo sft/,
      [
        [/--samples 160/, "--samples 6"],
        [/--eval-samples 20/, "--eval-samples 2"],
      ],
      "--steps 2 --samples-per-step 2 --max-new-tokens 8",
    ],
    [/^npx oppo train/, [[/--steps 20/, "--steps 1"]], "--prompts-per-step 2 --group-size 2 --max-new-tokens 8"],
    [/^npx oppo mep run/, [], "--max-new-tokens 8"],
    [/^npx oppo infer/, [], "--max-new-tokens 8"],
  ];

function small(line: string): string {
  const [, replace, more] = smaller.find(([command]) => command.test(line)) ?? [null, [], ""];
  const [command, output] = line.split(" > ") as [string, string?];
  const changed = replace.reduce((text, [from, to]) => {
    assert.match(text, from, `the page says something else: ${line}`);
    return text.replace(from, to);
  }, command);
  return `${changed} ${more}${output === undefined ? "" : ` > ${output}`}`;
}

describe("docs/training.md", () => {
  test("every command of the page runs, in its order, and leaves what the page says", () => {
    for (const [command] of smaller)
      assert.ok(
        lines.some((line) => command.test(line)),
        String(command),
      );
    assert.ok(lines.length >= 10 && lines.every((line) => line.startsWith("npx oppo ")));
    const shell = `npx() { shift; "${process.execPath}" "${main}" "$@"; }`;
    const outputs = lines.map((line) => {
      const { status, stdout, stderr } = spawnSync("bash", ["-c", `${shell}\n${small(line)}`], {
        cwd: folder,
        encoding: "utf8",
      });
      assert.equal(status, 0, `${line}\n${stderr}`);
      return { line, stdout, stderr };
    });
    const named = [...page.matchAll(/`(clips|models|runs|sets)\/[\w./-]+`/g)].map((match) => match[0].slice(1, -1));
    assert.ok(named.includes("runs/cold/rest.jsonl"));
    for (const path of named) assert.ok(existsSync(join(folder, path)), path);
    const table = /^\| in runs\/cold \|[\s\S]*?\n\n/m.exec(page)![0];
    const files = [...table.matchAll(/^\| (.*?) \|/gm)].flatMap((row) => [...row[1]!.matchAll(/`([\w./-]+)`/g)]);
    assert.ok(files.length >= 6);
    // Nothing was left out, so there is no list of it.
    for (const [, file] of files.filter(([, name]) => !name!.startsWith("skipped"))) {
      assert.ok(existsSync(join(folder, "runs/cold", file!)), file);
    }
    const trained = outputs.find(({ line }) => line.startsWith("npx oppo train"))!;
    assert.match(trained.stderr, /runs\/cold\/model\/oppo_prompt\.json: what it was trained with/);
    assert.equal(JSON.parse(readFileSync(join(folder, "answers.json"), "utf8")).length, 4);
    assert.match(outputs.at(-1)!.stdout, /EW F1 .* 4 of 4/);
  });

  test("every option that the page names exists", async () => {
    const known = new Set(
      allCommands(await buildProgram(commands)).flatMap(({ options }) => options.map(({ long }) => long)),
    );
    const named = [...new Set([...page.matchAll(/--[a-z][\w-]*/g)].map(([flag]) => flag))];
    assert.ok(named.length > 15);
    assert.deepEqual(
      named.filter((flag) => !known.has(flag)),
      [],
    );
  });
});
