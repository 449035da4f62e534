// A line of rollouts.jsonl as it may be trusted: checked, bounded, numbers finite. Lines of older versions lack what came later.
import { z } from "zod";
import type { AskedView, ClauseView, CueView, RolloutView } from "../api.ts";

const maxText = 100_000;
const maxList = 4096;

const number = z.number().nullable().catch(null);
const text = z.string().transform((value) => value.slice(0, maxText));
const kind = z.enum(["video", "audio"]).nullable().catch(null);

const clauseSchema = z.object({
  text,
  chars: z.tuple([z.int().min(0), z.int().min(0)]),
  cue: z.int().min(-1).catch(-1),
  kind,
  similarity: z.number().catch(0),
  nearest: z
    .object({ cue: z.int().min(0), similarity: z.number() })
    .optional()
    .catch(undefined),
});

const tokensSchema = z.object({
  ends: z.array(z.int().min(0)).max(maxList),
  divergence: z.partialRecord(
    z.enum(["video", "audio", "both", "reference"]),
    z.array(z.tuple([z.int().min(0), z.number()])).max(maxList),
  ),
});

const rolloutSchema = z.object({
  text,
  numTokens: z.int().min(0).catch(0),
  truncated: z.boolean().catch(false),
  wellFormed: z.boolean(),
  problem: text.nullable().default(null),
  reward: number,
  rewards: z.record(z.string().max(200), number).catch({}),
  advantage: number,
  clauses: z.array(clauseSchema).max(maxList).catch([]),
  tokens: tokensSchema.optional().catch(undefined),
});

const groupSchema = z.object({
  step: z.int(),
  sample: z.string().max(1000),
  rollouts: z.array(rolloutSchema).min(1).max(maxList),
  asked: z
    .object({ question: text, expected: z.enum(["yes", "no"]) })
    .nullable()
    .catch(null)
    .default(null),
  cues: z
    .array(z.object({ kind: z.enum(["video", "audio", "emotion"]), text }))
    .max(maxList)
    .nullable()
    .catch(null)
    .default(null),
});

export interface Group {
  readonly step: number;
  readonly sample: string;
  readonly rollouts: readonly RolloutView[];
  /** null: the log does not say. */
  readonly cues: readonly CueView[] | null;
  /** In place of the task's question; null: that. */
  readonly asked: AskedView | null;
}

/** @returns why the line is no group, as words */
export function parseGroup(line: string): Group | string {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch {
    return "not JSON";
  }
  const checked = groupSchema.safeParse(row);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0]!;
  return `${issue.path.join(".") || "row"}: ${issue.message}`.slice(0, 300);
}

/**
 * The clauses of a group that no cue of its clip supports: none of its modality's met them, and they do not state a conclusion.
 * Of a clip without cues, and of a log that does not name them, nobody can say: 0.
 */
export function countUnsupported({ rollouts, cues }: Group, threshold: number): number {
  if (cues === null || cues.length === 0) return 0;
  const clauses = rollouts.flatMap((rollout) => rollout.clauses);
  const isConclusion = ({ nearest }: ClauseView) =>
    nearest !== undefined && cues[nearest.cue]?.kind === "emotion" && nearest.similarity > threshold;
  return clauses.filter((clause) => clause.cue < 0 && !isConclusion(clause)).length;
}
