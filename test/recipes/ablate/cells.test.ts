// What a cell's name hangs on: everything that determines its numbers, and nothing else.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Cell, keyOf, type MakerCode, makerCode, Workshop } from "../../../src/recipes/ablate/cells.ts";
import { asGridSays, resolveAblate } from "../../../src/recipes/ablate/settings.ts";
import { tableGrid } from "../../../src/recipes/ablate/tables.ts";
import { runTasks } from "../../../src/recipes/ablate/tasks.ts";

const code: MakerCode = { clips: "c", start: "s", training: "t", measure: "m", program: "p" };
const table = tableGrid("3");

function cellsOf(overrides: readonly string[] = [], own: MakerCode = code) {
  const { run: _, dryRun: __, ...config } = asGridSays(resolveAblate({ overrides: ["table=3", ...overrides] }));
  const workshop = new Workshop("root", config, own);
  return { workshop, cells: workshop.cells(table) };
}

const keysOf = (cells: readonly Cell[]) => cells.map(({ start, training }) => training?.key ?? start.key);

test("the table has every row from every cold start with every seed, each under a name of its own", () => {
  const { cells } = cellsOf();
  assert.equal(cells.length, 3 + 5 * 9);
  assert.equal(new Set(keysOf(cells)).size, cells.length);
  const { cells: few } = cellsOf(["coldStarts=1", "seeds=1"]);
  assert.equal(few.length, 6);
  assert.ok(
    keysOf(few).every((key) => keysOf(cells).includes(key)),
    "more cold starts and seeds keep what is there",
  );
});

test("a name changes with settings, seeds, clips and code that matter, and only with those", () => {
  const { cells, workshop } = cellsOf();
  const one = cells.find(({ row, training }) => row.name === "oppo" && training?.seed === 0)!;
  const keyWith = (overrides: readonly string[], own: MakerCode = code) => {
    const other = cellsOf(overrides, own).cells.find(
      ({ row, training }) => row.name === "oppo" && training?.seed === 0,
    )!;
    return other.training!.key;
  };
  for (const change of [
    "seed=1",
    "play.rlSteps=7",
    "play.sft.steps=7",
    "play.warmup.steps=7",
    "play.clips.rl=7",
    "play.clips.sft=7",
  ]) {
    assert.notEqual(keyWith([change]), one.training!.key, change);
  }
  for (const change of ["processes=1", "play.clips.congruent=7", "play.clips.dev=7"]) {
    assert.equal(keyWith([change]), one.training!.key, change);
  }
  for (const maker of ["clips", "start", "training"] as const) {
    assert.notEqual(keyWith([], { ...code, [maker]: "other" }), one.training!.key, maker);
  }
  assert.equal(keyWith([], { ...code, measure: "other", program: "other" }), one.training!.key);

  const file = workshop.measuredFile(one, table.evaluation, "test");
  assert.notEqual(workshop.measuredFile(one, table.evaluation, "dev"), file);
  assert.notEqual(workshop.measuredFile(one, { ...table.evaluation, suite: false }, "test"), file);
  const measuredWith = (overrides: readonly string[], own: MakerCode = code) =>
    cellsOf(overrides, own).workshop.measuredFile(one, table.evaluation, "test");
  assert.notEqual(measuredWith(["play.clips.congruent=7"]), file);
  assert.notEqual(measuredWith([], { ...code, measure: "other" }), file);
});

test("a value's digest does not hang on the order of its keys", () => {
  assert.equal(keyOf({ a: 1, b: [{ c: 2, d: 3 }] }), keyOf({ b: [{ d: 3, c: 2 }], a: 1 }));
  assert.notEqual(keyOf({ a: [1, 2] }), keyOf({ a: [2, 1] }));
});

test("a child of another build does nothing under the names of the one before", async () => {
  const { run: _, dryRun: __, ...config } = asGridSays(resolveAblate({ overrides: ["table=3"] }));
  const payload = { tasks: [], root: "root", config, code, start: { kind: "mixed", index: 0 } } as const;
  const shared = { interrupt: null as never, progress: () => undefined };
  await assert.rejects(runTasks(payload, shared), { code: "ERR_ABLATE_CODE" });
  assert.deepEqual(await runTasks({ ...payload, code: makerCode() }, shared), {});
});

test("how long and on how many clips: as the grid says, unless somebody says otherwise", () => {
  const play = (...overrides: string[]) => asGridSays(resolveAblate({ overrides })).play;
  const of = ({ rlSteps, clips }: ReturnType<typeof play>) => [rlSteps, clips.rl, clips.sft];
  assert.deepEqual(of(play("table=3")), [50, 400, 1300]);
  assert.deepEqual(of(play("experiment=faithfulness")), [100, 2000, 1300]);
  assert.deepEqual(of(play("experiment=faithfulness", "play.rlSteps=7", "play.clips.rl=9")), [7, 9, 1300]);
});
