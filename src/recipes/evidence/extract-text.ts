// An extraction's result for the terminal.
import { cueKinds, extractorName } from "./evidence-statistics.ts";
import type { ExtractResult } from "./extract.ts";

export function extractText({ statistics, files, endpoint }: ExtractResult): string {
  const { accounts, samples, kinds, samplesWithoutCues, cutOff, dropped, skipped, badRows } = statistics;
  const lines = [
    `${samples} of ${accounts} accounts of ${statistics.source}, by ${extractorName(statistics.extractor)}`,
    "",
    row(["cues", "all", "distinct", "per sample", "samples without", "dropped"]),
    ...cueKinds.map((kind) => {
      const { cues, distinct, perSample, samplesWithout, dropped } = kinds[kind];
      return row([kind, cues, distinct, perSample.toFixed(2), samplesWithout, dropped]);
    }),
    "",
    ...(samplesWithoutCues > 0 ? [`Samples without any cue: ${samplesWithoutCues}`] : []),
    ...(cutOff > 0 ? [`Replies cut off at their limit of tokens: ${cutOff}`] : []),
    ...counts("Phrases dropped", Object.entries(dropped)),
    ...counts(
      "Accounts left out",
      Object.entries(skipped).map(([name, { count, first }]) => [
        `${name} (${first[0]}${count > 1 ? ", ..." : ""})`,
        count,
      ]),
    ),
    ...(badRows.count > 0 ? [`Rows that could not be read: ${badRows.count} (${badRows.first[0]})`] : []),
  ];
  if (endpoint !== null) {
    const { requests, cached, retries, promptTokens, completionTokens, repairs, reasks } = endpoint;
    lines.push(
      `Requests: ${requests}, from the cache ${cached}, sent again ${retries}; tokens: ${promptTokens} in, ${completionTokens} out; ` +
        `JSON mended ${repairs}, asked again ${reasks}`,
    );
  }
  return [...lines, `Samples: ${files.samples}`, `Statistics: ${files.statistics}`, `To review: ${files.page}`].join(
    "\n",
  );
}

function row(cells: readonly (string | number)[]): string {
  return cells.map((cell, index) => (index === 0 ? String(cell).padEnd(8) : String(cell).padStart(16))).join("");
}

function counts(title: string, entries: readonly (readonly [string, number])[]): string[] {
  return entries.length === 0 ? [] : [`${title}: ${entries.map(([name, count]) => `${count} ${name}`).join(", ")}`];
}
