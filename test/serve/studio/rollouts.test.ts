// The index of a log of rollouts: what counts as unsupported, how fast ten thousand are paged, what data a run names.
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { rolloutOrders } from "../../../src/serve/studio/api.ts";
import { countUnsupported, type Group, parseGroup } from "../../../src/serve/studio/rollouts/group-schema.ts";
import { RolloutIndex } from "../../../src/serve/studio/rollouts/rollout-index.ts";
import { dataFileOf, SampleIndex } from "../../../src/serve/studio/rollouts/sample-index.ts";
import { groupRow, line } from "../../support/studio-runs.ts";

const delta = 0.5;
/** What the issue of a page allows on a machine that does nothing else; a loaded one may take this. */
const pageMilliseconds = 400;
const numGroups = 2500;

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "oppo-rollouts-"));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const parsed = (row: Record<string, unknown>) => parseGroup(JSON.stringify(row)) as Group;

describe("groups", () => {
  test("a claim is unsupported where the clip has cues, none met it and it is no conclusion", () => {
    const group = parsed(groupRow(0, "a"));
    assert.equal(countUnsupported(group, delta), 3);
    const asConclusion = (similarity: number) => ({
      ...group,
      rollouts: group.rollouts.map((rollout) => ({
        ...rollout,
        clauses: rollout.clauses.map((clause) =>
          clause.cue < 0 ? { ...clause, nearest: { cue: 2, similarity } } : clause,
        ),
      })),
    });
    assert.equal(countUnsupported(asConclusion(0.9), delta), 0);
    assert.equal(countUnsupported(asConclusion(0.4), delta), 3);
    assert.equal(countUnsupported({ ...group, cues: [] }, delta), 0);
    // a log of an older version does not name the cues
    const { cues: _, ...old } = groupRow(0, "a");
    assert.equal(parsed(old).cues, null);
    assert.equal(countUnsupported(parsed(old), delta), 0);
  });

  test("a probe's question is kept; of another group there is none, and of a broken one neither", () => {
    const asked = { question: "does the video show a smile?", expected: "no" };
    assert.deepEqual(parsed({ ...groupRow(0, "a"), asked }).asked, asked);
    assert.equal(parsed(groupRow(0, "a")).asked, null);
    assert.equal(parsed({ ...groupRow(0, "a"), asked: { question: 3 } }).asked, null);
  });

  test("what is no group says why", () => {
    for (const [text, reason] of [
      ["{", /not JSON/],
      ['{"step":1}', /sample/],
      ['{"step":1,"sample":"a","rollouts":[{"text":"x"}]}', /rollouts\.0\.wellFormed/],
    ] as const) {
      assert.match(parseGroup(text) as string, reason);
    }
  });
});

describe("an index", () => {
  test("pages ten thousand rollouts in every order without a stall, and reads on", () =>
    inFolder(async (folder) => {
      const file = join(folder, "rollouts.jsonl");
      const rows = Array.from({ length: numGroups }, (_, g) =>
        line(groupRow(Math.floor(g / 4), `clip-${g % 50}`, 1 + (g % 9) / 10)),
      );
      writeFileSync(file, rows.join(""));
      const index = new RolloutIndex(folder, delta);
      await index.catchUp();
      assert.deepEqual([index.numGroups, index.numRollouts, index.isWhole], [numGroups, 4 * numGroups, true]);
      for (const order of rolloutOrders) {
        const start = performance.now();
        const all = index.list({ order, since: null, step: null, sample: "" });
        for (let page = 0; page < 10; page++) {
          for (const entry of all.slice(page * 20, page * 20 + 20))
            assert.equal(typeof index.read(index.find(entry.line)!), "object");
        }
        const each = (performance.now() - start) / 10;
        assert.ok(each < pageMilliseconds, `${order}: ${each} ms a page`);
      }
      appendFileSync(file, line(groupRow(999, "late")));
      await index.catchUp();
      assert.equal(index.list({ order: "newest", since: null, step: null, sample: "" })[0]!.sample, "late");
      assert.equal(index.of("late").length, 1);
      rmSync(file);
      assert.equal(index.read(index.find(0)!), "the log is gone");
    }));
});

describe("the data of a run", () => {
  test("are those that the settings name, or the demo's", () =>
    inFolder(async (folder) => {
      const arm = join(folder, "demo", "arms", "oppo", "seed-0");
      mkdirSync(arm, { recursive: true });
      assert.equal(dataFileOf(arm, folder, {}), null);
      assert.equal(dataFileOf(arm, folder, { data: "nothing.jsonl" }), null);
      const file = join(folder, "demo", "corpus", "rl", "rl.jsonl");
      mkdirSync(join(file, ".."), { recursive: true });
      writeFileSync(file, line({ label_of_row: "a", where: "a.mp4" }));
      assert.equal(dataFileOf(arm, folder, {}), file);
      assert.equal(dataFileOf(arm, folder, { data: file }), file);
      const named = new SampleIndex(file, "id=label_of_row,media=where");
      assert.equal((await named.find("a"))!.media, "a.mp4");
      assert.equal(await named.find("b"), null);
      assert.match(named.file((await named.find("a"))!, "media", []) as string, /expected a file/);
      assert.equal(await new SampleIndex(file, null).find("a"), null);
    }));
});
