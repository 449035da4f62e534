// Goals on planted runs: reached, missed and not to be told; and the experiment's arms, with the kinds that each has not seen.
import assert from "node:assert/strict";
import { test } from "node:test";
import { countMeasure, meanMeasure } from "../../../src/bench/measure.ts";
import type { MeasuredRun } from "../../../src/bench/statistics/runs.ts";
import { maskKinds } from "../../../src/media/degrade/degrade.ts";
import { createRandom } from "../../../src/random.ts";
import { faithfulnessGrid, heldOutKinds } from "../../../src/recipes/ablate/faithfulness.ts";
import { goalResults } from "../../../src/recipes/ablate/goals.ts";
import type { Goal, Grid } from "../../../src/recipes/ablate/grid.ts";
import { phaseResults } from "../../../src/recipes/ablate/results.ts";
import { asGridSays, resolveAblate } from "../../../src/recipes/ablate/settings.ts";
import { tableGrid } from "../../../src/recipes/ablate/tables.ts";
import { terminalText } from "../../../src/recipes/ablate/tables-out.ts";

const numClips = 80;

/** Claims around a mean per clip, and a share of probes. */
function runsAround(claims: number, probes: number): MeasuredRun[] {
  return [0, 1, 2].flatMap((start) =>
    [0, 1, 2].map((seed): MeasuredRun => {
      const random = createRandom(17 * start + seed + Math.round(1000 * claims) + Math.round(100 * probes));
      const draw = (of: (uniform: number) => number) => Array.from({ length: numClips }, () => of(random.next()));
      const measures = {
        unsupported: countMeasure(
          "clips",
          draw((uniform) => 2 * claims * uniform),
        ),
        adversarial: meanMeasure(
          "asked",
          draw((uniform) => (uniform < probes ? 1 : 0)),
        ),
      };
      return { start: `${start}`, seed, measures };
    }),
  );
}

const goals: readonly Goal[] = [
  { row: "oppo", score: "unsupported", side: "most", bound: 0.5, margin: 0, title: "unsupported claims" },
  { row: "oppo", score: "adversarial", side: "least", bound: "baseline", margin: 0.1, title: "adversarial probes" },
];
const grid: Grid = { ...tableGrid("3"), goals };

function verdicts(claims: number, probes: number) {
  const runs = new Map<string, MeasuredRun[]>(grid.rows.map(({ name }) => [name, []]));
  runs.set("oppo", runsAround(claims, probes)).set("baseline", runsAround(3, 0.4));
  return { runs, verdicts: goalResults(grid, runs).map(({ verdict }) => verdict) };
}

test("a goal is met or missed where a paired test says so, with its margin, and else cannot be told", () => {
  assert.deepEqual(verdicts(0.2, 0.9).verdicts, ["met", "met"]);
  assert.deepEqual(verdicts(2, 0.2).verdicts, ["missed", "missed"]);
  // as large as the bound, and no farther above the other row than the margin
  assert.deepEqual(verdicts(0.5, 0.5).verdicts, ["cannot tell", "cannot tell"]);
  const { runs } = verdicts(0.2, 0.9);
  const single = new Map([...runs].map(([row, own]) => [row, own.slice(0, 1)]));
  const alone = goalResults(grid, single).map(({ verdict }) => verdict);
  assert.deepEqual(alone, ["cannot tell", "cannot tell"], "one run says nothing about seeds");
  const [first] = goalResults(grid, runs);
  assert.ok(Math.abs(first!.value! - 0.2) < 0.03 && Math.abs(first!.distance.value! - (0.5 - first!.value!)) < 1e-9);
  assert.equal(first!.numRuns, 9);
  const text = terminalText({ grid, all: phaseResults(grid, runs, "test"), chosen: null, failures: [], seconds: 1 });
  assert.match(text, /OPPO: 2 of 2 goals met \(all\)/);
  assert.match(text, /OPPO: unsupported claims at most 0\.50: met \(0\.\d\d, 0\.\d\d inside \[/);
  assert.match(text, /adversarial probes at least that of Baseline \+ 0\.10: met/);
});

test("the experiment's held-out kinds are those that neither a row's training nor its cold start shows", () => {
  const settings = asGridSays(resolveAblate({ overrides: ["experiment=faithfulness"] }));
  const experiment = faithfulnessGrid(settings);
  const row = (name: string) => experiment.rows.find((one) => one.name === name)!;
  assert.deepEqual([row("sft").start, row("honest-labels").start], ["described", "honest"]);
  for (const modality of ["video", "audio"] as const) {
    const others = maskKinds[modality].filter((kind) => !["units", "black", "quiet"].includes(kind));
    assert.deepEqual(heldOutKinds(row("oppo"), settings)[modality], others);
    const trained = { ...row("oppo"), overrides: [`perception.maskFamily.${modality}=[units, ${others[0]}, swap]`] };
    const held = heldOutKinds(trained, settings)[modality];
    assert.ok(!held.includes(others[0]!) && !held.includes("swap") && !held.includes("voice"));
    assert.equal(held.length, others.length - 2);
    assert.ok(heldOutKinds(trained, settings)[modality === "video" ? "audio" : "video"].length > 5);
    // what completions are asked about counts as seen without views, too
    const family = heldOutKinds(row("oppo-family"), settings)[modality];
    assert.ok(modality === "video" ? !family.includes("blur") && family.includes("grey") : !family.includes("hum"));
    // blanks of the cold start count as seen
    const play = {
      ...settings.play,
      sft: { ...settings.play.sft, blanks: { video: [others[0]!], audio: [others[0]!] } },
    };
    assert.ok(!heldOutKinds(row("oppo"), { play } as never)[modality].includes(others[0]!));
    assert.ok(heldOutKinds(row("reward-only"), { play } as never)[modality].includes("units"));
  }
  const bounds = experiment.goals!.filter(({ row: name, side }) => name === "oppo" && side === "most");
  assert.equal(
    bounds.length,
    heldOutKinds(row("oppo"), settings).video.length + heldOutKinds(row("oppo"), settings).audio.length,
  );
  assert.ok(experiment.evaluation.conditions.length > 40);
});
