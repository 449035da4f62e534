// What a reader of scores has to know: how the numbers came about, and what was counted along the way. A note that several
// sets or systems share is one line with all their counts.
import { publishedRules, type ScoreNote, type ScoringRules } from "../../bench/mer-unibench/rules.ts";
import { givenPolarity, type ScoreReport } from "./report.ts";
import { mixedMark, publishedLexicon } from "./rows.ts";

/** How the numbers came about, one sentence each. */
export function stampLines(report: ScoreReport): string[] {
  const { bootstrap, rules } = report;
  return [
    ...lexiconLine(report),
    `Intervals: ${100 * bootstrap.confidence}%, ${bootstrap.numResamples} bootstrap resamples over samples, seed ${bootstrap.seed}.`,
    `Checkpoints: ${protocolOf(report)}.`,
    ...partialLine(report),
    ...foldLines(report),
    ...polarityLine(report),
    ...mixedPolarityLines(report),
    ...rulesLine(rules),
  ];
}

/** Accuracy and given polarities owe nothing to a lexicon. */
function usesLexicon({ systems }: ScoreReport): boolean {
  return systems.some(({ sets }) =>
    sets.some(({ metric, polaritySource }) => metric !== "war" && polaritySource !== givenPolarity),
  );
}

function lexiconLine(report: ScoreReport): string[] {
  const { name, hash } = report.lexicon;
  if (!usesLexicon(report)) return [];
  return [lexiconWarning(report) ?? `Lexicon ${name} (${hash}).`];
}

/** One of `stampLines`: scores by another lexicon than the published ones. Null: by that, or by none. */
export function lexiconWarning(report: ScoreReport): string | null {
  const { name, hash } = report.lexicon;
  if (!usesLexicon(report) || name === publishedLexicon) return null;
  return `Lexicon ${name} (${hash}): not to be mixed with the published numbers of MER-UniBench, which use ${publishedLexicon} and stand beside it alone (oppo lexicon import).`;
}

function protocolOf({ checkpoints, systems }: ScoreReport): string {
  const sets = systems.flatMap((system) => system.sets);
  if (sets.every(({ numCheckpoints }) => numCheckpoints === 1)) return "there was one of each set";
  if (checkpoints === "best") {
    return "the best of each set, chosen on the test set itself: higher than what an unseen set would give";
  }
  const finals = systems.map(({ name, sets: [first] }) => `${name} ${first?.checkpoint ?? "-"}`);
  return `one final checkpoint for all sets (${finals.join(", ")})`;
}

function partialLine({ partial }: ScoreReport): string[] {
  if (partial === null) return [];
  const { numSets, numAll, leftOut } = partial;
  const without = leftOut.map(({ dataset, why }) => `${dataset} (${why})`).join(", ");
  return [`In part: ${numSets} of ${numAll} sets, so the mean is not the benchmark's. Left out: ${without}.`];
}

const numFolds = 5;

/** Sets of folds are reported over all of them: a single one is named. */
function foldLines({ systems }: ScoreReport): string[] {
  const folds = new Map<string, Set<string>>();
  for (const { dataset, split } of systems.flatMap(({ sets }) => sets)) {
    if (split?.startsWith("fold")) folds.set(dataset, (folds.get(dataset) ?? new Set()).add(split));
  }
  return [...folds].flatMap(([dataset, splits]) => {
    if (splits.size >= numFolds) return [];
    const all = Array.from({ length: numFolds }, (_, i) => `${dataset.toLowerCase()}:fold${i + 1}-test`).join(",");
    return [`${dataset}: ${[...splits].join(", ")} of ${numFolds} folds; all of them with --dataset ${all}.`];
  });
}

function mixedPolarityLines({ comparisons }: ScoreReport): string[] {
  const pairs = new Set(
    comparisons.flatMap(({ mixedPolarity }) => (mixedPolarity === null ? [] : [mixedPolarity.join(" against ")])),
  );
  return [...pairs].map(
    (pair) =>
      `${mixedMark} Polarities of two sources (${pair}): the difference is theirs as much as the systems', so it has no p-value. Score ` +
      "labels of all systems, or given polarities of all.",
  );
}

/** Who said what is positive, and on which sets. */
function polarityLine({ systems }: ScoreReport): string[] {
  const setsOf = new Map<string, Set<string>>();
  for (const { title, polaritySource } of systems.flatMap(({ sets }) => sets)) {
    if (polaritySource !== null) {
      setsOf.set(polaritySource, (setsOf.get(polaritySource) ?? new Set()).add(title));
    }
  }
  const sources = [...setsOf].map(([source, sets]) =>
    setsOf.size === 1 ? source : `${source} (${[...sets].join(", ")})`,
  );
  return sources.length === 0 ? [] : [`Polarity of sentiment predictions: ${sources.join("; ")}.`];
}

function rulesLine(rules: ScoringRules): string[] {
  const changed = Object.entries(rules).filter(([name, value]) => publishedRules[name as keyof ScoringRules] !== value);
  return changed.length === 0
    ? []
    : [`Other than published: ${changed.map(([name, value]) => `${flagOf(name)} ${value}`).join(", ")}.`];
}

/** "undefinedWheel" is chosen with --undefined-wheel. */
function flagOf(rule: string): string {
  return `--${rule.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

interface Counted {
  readonly system: string;
  readonly title: string;
  readonly note: ScoreNote;
}

/** One line per thing that was counted, with its counts per set, and per system where systems differ. */
export function noteLines({ systems }: ScoreReport): string[] {
  const counted = new Map<string, Counted[]>();
  for (const { name: system, sets } of systems) {
    for (const { title, notes } of sets) {
      for (const note of notes) counted.set(note.text, [...(counted.get(note.text) ?? []), { system, title, note }]);
    }
  }
  const numSets = new Set(systems.flatMap(({ sets }) => sets.map(({ title }) => title))).size;
  return [...counted].map(([text, rows]) => {
    const perSystem = new Map<string, string[]>();
    for (const { system, title, note } of rows) {
      const count = countOf(note);
      perSystem.set(system, [...(perSystem.get(system) ?? []), numSets === 1 ? count : `${title} ${count}`]);
    }
    const lists = new Set([...perSystem.values()].map((counts) => counts.join(", ")));
    const isShared = lists.size === 1 && perSystem.size === systems.length;
    const where = isShared
      ? [...lists]
      : [...perSystem].map(([system, counts]) => `${systems.length > 1 ? `${system} ` : ""}${counts.join(", ")}`);
    return `${text}: ${where.join("; ")}`;
  });
}

function countOf({ count, of, detail }: ScoreNote): string {
  return `${count}${of === undefined ? "" : ` of ${of}`}${detail === undefined ? "" : ` (${detail})`}`;
}
