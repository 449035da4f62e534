// What a run of MEP-Bench leaves on disk: results.json with every score, its interval and what each clip gave to it;
// answers.jsonl with every question and answer. Nothing in them depends on when or how often the run was started.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { AnswerStyle } from "../../bench/faithfulness.ts";
import { readYesNo } from "../../bench/faithfulness.ts";
import type { Measures } from "../../bench/measure.ts";
import { type MepResult, reasoningParts } from "../../bench/mep.ts";
import { probeQuery } from "../../bench/probes.ts";
import type { Report } from "../../bench/report.ts";
import { OppoError } from "../../error.ts";
import type { MepDirectory } from "./set-directory.ts";

export const resultsName = "results.json";
export const answersName = "answers.jsonl";
const formatVersion = 1;

const ratio = z.object({ sums: z.array(z.number()), counts: z.array(z.number()) });
const number = z.number().nullable();
const resultsSchema = z.object({
  format: z.literal("oppo-mep-results"),
  version: z.literal(formatVersion),
  system: z.string(),
  set: z.object({ name: z.string(), hash: z.string(), counts: z.record(z.string(), z.number()) }),
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
  notes: z.array(z.string()),
  report: z.record(z.string(), z.object({ value: number, low: number, high: number, count: z.number() })),
  readings: z.record(z.string(), z.record(z.string(), z.number())),
  groups: z.record(z.string(), z.array(z.string())),
  measures: z.record(
    z.string(),
    z.object({ group: z.string(), parts: z.array(ratio), count: z.number(), isCount: z.boolean().optional() }),
  ),
});

export interface MepResults {
  readonly system: string;
  readonly set: { readonly name: string; readonly hash: string; readonly counts: Readonly<Record<string, number>> };
  /** How it was asked: style, masking, wording, limits. */
  readonly settings: Readonly<Record<string, string | number | null>>;
  readonly notes: readonly string[];
  readonly report: Report;
  readonly readings: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly measures: Measures;
}

/** Answers that cannot be read, above this share of a part, are said beside the scores. */
const unreadableShare = 0.05;
/** Above this, the model was hardly told how to answer. */
const unfitShare = 0.5;

export function resultsOf(
  result: MepResult,
  set: MepDirectory,
  settings: MepResults["settings"],
  notes: readonly string[],
): MepResults {
  const { model, report, measures, groups, readings } = result;
  const { name, hash, counts } = set.manifest;
  const isTagged = settings.answerStyle === "tagged";
  const unread = Object.entries(readings).flatMap(([part, found]) => readingNote(part, found, isTagged));
  return {
    system: model,
    set: { name, hash, counts },
    settings,
    notes: [...unread, ...notes],
    report,
    readings: readings as MepResults["readings"],
    groups,
    measures,
  };
}

/** Example: "probes: 40 of 600 answers are no yes or no (30 refusal, 10 other language); they count as wrong" */
function readingNote(part: string, found: Readonly<Partial<Record<string, number>>>, isTagged: boolean): string[] {
  const total = Object.values(found).reduce<number>((sum, count) => sum + (count ?? 0), 0);
  const others = Object.entries(found).filter(([reading]) => reading !== "readable");
  const numOthers = others.reduce((sum, [, count]) => sum + (count ?? 0), 0);
  if (total === 0 || numOthers / total <= unreadableShare) return [];
  const named = others.map(([reading, count]) => `${count} ${reading}`).join(", ");
  const meaning =
    part === "probes" ? "are no readable yes or no: they count as wrong" : "are no reasoning: they state no cue";
  const hint =
    part === "probes" && isTagged && numOthers / total > unfitShare
      ? "; --answer-style free is for models that were not taught think and answer tags"
      : "";
  return [
    `${part}: ${numOthers} of ${total} answers ${meaning} (${named}). Low scores may mean this and nothing else${hint}`,
  ];
}

export function resultsText(results: MepResults): string {
  return `${JSON.stringify({ format: "oppo-mep-results", version: formatVersion, ...results }, null, 1)}\n`;
}

/** One line per question. */
export function answersText(result: MepResult, style: AnswerStyle): string {
  const reasonings = reasoningParts.flatMap((part) =>
    result.reasonings[part].map(({ view, prompt, text, decomposition: { statements, problem } }) => ({
      part,
      sample: view.sample.id,
      video: view.video?.id ?? null,
      audio: view.audio?.id ?? null,
      prompt,
      text,
      statements: problem === null ? statements.map((statement) => statement.text) : null,
      ...(problem === null ? {} : { problem }),
    })),
  );
  const probes = result.probes.map((probe) => {
    const { view, prompt } = probeQuery(probe);
    const { kind, modality, cue, expected, text } = probe;
    return {
      part: "probes",
      sample: probe.sample.id,
      video: view.video?.id ?? null,
      audio: view.audio?.id ?? null,
      prompt,
      ...{ kind, modality, cue: cue.text, expected, read: readYesNo(text, style), text },
    };
  });
  return [...reasonings, ...probes].map((row) => `${JSON.stringify(row)}\n`).join("");
}

/** @param path the folder of a run, or its results.json. @throws OppoError ERR_MEP_RESULTS */
export function readResults(path: string): MepResults {
  const file = path.endsWith(".json") ? path : join(path, resultsName);
  const wrong = (got: string, cause?: unknown) =>
    new OppoError("ERR_MEP_RESULTS", `${file}: expected the results of oppo mep run, got ${got}. Run it again.`, {
      cause,
    });
  if (!existsSync(file)) throw wrong("no such file");
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw wrong("something that is not JSON", cause);
  }
  const parsed = resultsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw wrong(`${issue!.path.join(".") || "the file"}: ${issue!.message}`);
}
