// Every help text: it has an example, each example is understood, and what it promises of settings is true.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { Command } from "commander";
import { declaredSettings } from "../../src/cli/base/declared-settings.ts";
import { commands } from "../../src/cli/commands/index.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { allCommands, allExamples, examplesIn, helpOf, shellWords } from "../support/help-examples.ts";
import { readText, readTree } from "../support/source-tree.ts";

const fewestExamples = 35;
let tree: Command[];

before(async () => {
  const program = await buildProgram(commands);
  tree = allCommands(program).filter((command) => command.name() !== "demo-task");
});

/** Parses a command line as the program does, up to where the action would begin. @returns the settings */
async function understand(line: string): Promise<unknown> {
  const [, ...words] = shellWords(line);
  const program = await buildProgram(commands, { only: [words[0]!] });
  let called: Command | null = null;
  for (const command of allCommands(program)) {
    if (command.commands.length === 0 || command.registeredArguments.length > 0) {
      command.action(() => {
        called = command;
      });
    }
  }
  await program.parseAsync(words, { from: "user" });
  assert.ok(called !== null, `${line}: no action`);
  return declaredSettings(called)?.resolve();
}

describe("help", () => {
  test("every command has an example, and every example is understood", async () => {
    const without = tree.filter((command) => examplesIn(helpOf(command)).length === 0);
    assert.deepEqual(
      without.map((command) => command.name()),
      [],
    );
    const examples = await allExamples();
    assert.ok(examples.length >= fewestExamples, `only ${examples.length} examples`);
    for (const { line } of examples) {
      if (/^oppo help |--settings$/.test(line)) continue;
      await assert.doesNotReject(understand(line), line);
    }
  });

  test("an example with an unknown option, a wrong value or an idle setting would be found", async () => {
    await assert.rejects(
      understand("oppo train --run r --model m --data d --lr 3"),
      /unknown option '--lr' \(Did you mean "--learning-rate"\?\)/,
    );
    await assert.rejects(understand("oppo train --run r --model m"), /'--data <file>' not specified/);
    await assert.rejects(understand("oppo train --run r --model m --data d --steps 0"), /--steps 0: expected/);
    await assert.rejects(understand("oppo mep run s --model m --out o --extra {}"), /--extra \{\} has no effect/);
    assert.deepEqual(shellWords(`a "b c" d='e f' ''`), ["a", "b c", "d=e f", ""]);
    assert.deepEqual(examplesIn("  oppo a \\\n    --b c\n oppo d\n"), ["oppo a --b c"]);
  });

  test("the command lines of the documents are understood", async () => {
    const pages = [["README.md", readText("README.md")] as const, ...readTree("docs", /\.md$/)];
    const lines = pages
      .filter(([path]) => path !== "docs/log.md")
      .flatMap(([, text]) => [...text.matchAll(/^```(?:sh)?\n([\s\S]*?)^```$/gm)].map((block) => block[1]!))
      .flatMap((block) => [...block.replaceAll(/\\\n\s*/g, "").matchAll(/^(?:npx )?(oppo .*)$/gm)])
      .map((match) => match[1]!.replace(/\s+#\s.*$/, ""));
    assert.ok(lines.length > 25, `only ${lines.length} lines`);
    // "..." stands for what the page has said before.
    for (const line of lines.filter((text) => !text.includes("..."))) {
      await assert.doesNotReject(understand(line), line);
    }
  });

  test("settings say what they are, and idle ones exist", () => {
    const withSettings = tree.flatMap((command) => {
      const found = declaredSettings(command);
      return found === null ? [] : [{ name: command.name(), ...found }];
    });
    assert.ok(withSettings.length >= 15, `only ${withSettings.length} commands have settings`);
    for (const { name, settings, idlePaths } of withSettings) {
      const silent = settings.filter(({ description }) => description === "").map(({ path }) => path);
      assert.deepEqual(silent, [], `${name}: settings without a description`);
      const known = (path: string) => settings.some((setting) => `${setting.path}.`.startsWith(`${path}.`));
      assert.deepEqual(
        idlePaths.filter((path) => !known(path)),
        [],
        name,
      );
    }
  });

  test("an endpoint is spelled in one way, and nothing speaks of directories", () => {
    const text = tree.map(helpOf).join("\n");
    assert.doesNotMatch(text, /director/i);
    const flags = tree.flatMap((command) => command.options.filter(({ hidden }) => !hidden).map(({ flags }) => flags));
    const addresses = flags.filter((flag) => /url/i.test(flag));
    assert.ok(addresses.length >= 4);
    assert.deepEqual([...new Set(addresses.map((flag) => flag.split(" ")[1]))], ["<url#model>"]);
    for (const line of examplesIn(text)) {
      // A tracking server has no models.
      const asked = line.replace(/--mlflow \S+/, "");
      for (const [address] of asked.matchAll(/https?:\S+/g)) assert.match(address, /#/, line);
    }
  });
});
