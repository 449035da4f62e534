// The demo's table in a terminal: titles stand apart, however long they are.
import assert from "node:assert/strict";
import { test } from "node:test";
import { resultsText } from "../../../src/page/results-text.ts";
import { armNames, demoArm } from "../../../src/recipes/demo/arms.ts";

test("every title of an arm has a gap before it, and numbers stand under its end", () => {
  const value = { value: 0.5, low: 0.4, high: 0.6, count: 10 };
  const titles = [...armNames.map((arm) => demoArm(arm).title), "a title that is much longer than a column"];
  const arms = titles.map((title) => ({ title, metrics: { recall: value } as never }));
  const lines = resultsText(arms).split("\n");
  let end = 0;
  for (const title of titles) {
    const at = lines[0]!.indexOf(`  ${title}`, end);
    assert.ok(at >= end, `${title} stands apart in: ${lines[0]}`);
    end = at + title.length + 2;
    const row = lines.find((line) => line.includes("Recall"))!;
    assert.equal(row.slice(end - 4, end), "0.50");
  }
});
