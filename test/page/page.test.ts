// The report's text: nothing from outside, nothing unescaped, everything that was measured.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { html, jsonForScript } from "../../src/page/html.ts";
import { metricRows } from "../../src/page/metric-rows.ts";
import { reportPage } from "../../src/page/page.ts";
import { resultsText } from "../../src/page/results-text.ts";
import { arm, hostile, metricsFrom, reportData } from "../support/report-fixture.ts";

const pixel = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";
const page = reportPage(reportData("data:video/mp4;base64,AAAA", pixel));

/** Addresses that a browser would fetch: attributes, style sheets, imports. */
function fetched(text: string): string[] {
  const patterns = [/\b(?:src|href|poster|action|srcset)\s*=\s*["']?([^"'\s>]+)/gi, /url\(\s*["']?([^"')]+)/gi];
  return [...patterns.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1]!))];
}

describe("the page", () => {
  test("fetches nothing: every address in it is data", () => {
    // Without the escaped texts, which hold "src=x" as words.
    const addresses = fetched(page.replaceAll(/&lt;.*?&gt;/g, ""));
    assert.ok(addresses.length >= 5, `only ${addresses.length} addresses were looked at`);
    assert.deepEqual(
      addresses.filter((address) => !address.startsWith("data:")),
      [],
    );
    assert.doesNotMatch(page, /@import|<link[^>]+stylesheet|\bfetch\(|XMLHttpRequest|\bimport\(/);
    // negative control: the check sees what it is for
    assert.deepEqual(fetched('<script src="https://example.org/x.js"></script>'), ["https://example.org/x.js"]);
    assert.deepEqual(fetched("<style>a { background: url(//example.org/x.png) }</style>"), ["//example.org/x.png"]);
  });

  test("escapes what a subtitle, a model or a machine says", () => {
    assert.ok(!page.includes(hostile));
    assert.ok(!page.includes("<img"));
    const escaped = html`${hostile}`.text;
    // subtitle, label, cue, 3 arms x (3 narrations x 2, clause x 3 and title, 2 tokens), in 2 clips, and a fact
    assert.ok(page.split(escaped).length - 1 > 40, "the texts are there, escaped");
    const opened = page.match(/<script>/g)!.length;
    assert.equal(page.match(/<\/script>/g)!.length, opened, "no text ends a script");
    assert.equal(jsonForScript({ a: hostile }).text.includes("</script"), false);
    assert.deepEqual(JSON.parse(jsonForScript({ a: hostile }).text), { a: hostile });
  });

  test("shows every arm with every metric, its interval, and the best one of a row", () => {
    const { arms } = reportData("", "");
    for (const { title } of arms) assert.ok(page.includes(`<th scope="col">${title}</th>`), title);
    for (const { metric, label, digits } of metricRows) {
      assert.ok(page.includes(label), label);
      for (const { metrics } of arms) {
        const { value, low, high } = metrics[metric]!;
        const cell = `>${value!.toFixed(digits)}<small>${low!.toFixed(digits)}\u2013${high!.toFixed(digits)}</small>`;
        assert.ok(page.includes(cell), `${metric}: ${cell}`);
      }
    }
    // only what was found to be clearly best is marked: recall's row, in the second arm
    const [first] = metricRows;
    const best = arms[1]!.metrics[first!.metric]!.value!.toFixed(first!.digits);
    assert.deepEqual(
      [...page.matchAll(/<td class="best">([\d.]+)/g)].map(([, value]) => value),
      [best],
    );
    const unmarked = reportPage({ ...reportData("", ""), best: new Map() });
    assert.doesNotMatch(unmarked, /<td class="best">/);
  });

  test("claims in words only what the numbers say", () => {
    assert.match(page, /takes recall from 0\.10 to 0\.30, and/);
    const [, , oppo] = reportData("", "").arms;
    const alone = reportPage({ ...reportData("", ""), arms: [oppo!] });
    assert.doesNotMatch(alone, /takes recall from/, "without the arms to compare nothing is compared");
  });

  test("says a dash where nothing could be scored", () => {
    const { metric } = metricRows[0]!;
    const empty = { value: null, low: null, high: null, count: 0 };
    const one = { ...arm("oppo", "OPPO", 0, 0), metrics: { ...metricsFrom(0), [metric]: empty } };
    assert.ok(reportPage({ ...reportData("", ""), arms: [one] }).includes("<td>\u2013</td>"));
  });
});

describe("the table for a terminal", () => {
  test("has a line per metric and a column per arm, aligned", () => {
    const { arms } = reportData("", "");
    const lines = resultsText(arms).split("\n");
    const rows = lines.filter((line) => line.startsWith("  "));
    assert.equal(rows.filter((line) => /\d\.\d\d$/.test(line)).length, metricRows.length);
    assert.match(lines[0]!, /SFT cold start\s+\+ R_omni\s+OPPO$/);
    const widths = new Set([lines[0]!, ...rows].filter((line) => line.trim() !== "").map((line) => line.length));
    assert.equal(widths.size, 1, "every line is as long as the head");
    const seen = lines.find((line) => line.includes("Seen in the dark"))!;
    const { metrics } = arms[1]!;
    assert.ok(seen.includes(metrics.hallucinatedVideo!.value!.toFixed(2)));
    const empty = { value: null, low: null, high: null, count: 0 };
    const unscored = resultsText([{ ...arms[0]!, metrics: { ...arms[0]!.metrics, recall: empty } }]);
    assert.match(unscored, /Recall +-\n/);
    // what no arm was asked has no row; what one of two was asked has
    const { adversarialVideo: _, ...older } = arms[0]!.metrics;
    const asks = (...reports: (typeof older)[]) =>
      resultsText(reports.map((metrics) => ({ title: "x", metrics }))).includes("Control, typical absent cue not seen");
    assert.deepEqual([asks(older), asks(older, arms[1]!.metrics)], [false, true]);
  });
});
