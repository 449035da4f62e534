// What a person decided about a cue of a sample: one line of a corpus' journal. Lines come from anybody's file and page: checked, bounded.
import { z } from "zod";
import type { Cue } from "../../evidence/cue.ts";

export const acts = ["accept", "reject", "correct", "add", "undo"] as const;
export type Act = (typeof acts)[number];

/** Longer than any phrase that is a cue. */
export const maxCueLength = 300;
export const maxNameLength = 60;
const maxIdLength = 1000;

const cueSchema = z.strictObject({
  kind: z.enum(["video", "audio", "emotion"]),
  text: z.string().trim().min(1).max(maxCueLength),
});

const decisionSchema = z
  .strictObject({
    version: z.literal(1),
    /** No two decisions have the same: what is sent twice counts once. */
    id: z.string().regex(/^[\w-]{8,64}$/),
    /** When, as ISO 8601. */
    at: z.string().max(40),
    by: z.string().trim().min(1).max(maxNameLength),
    sample: z.string().min(1).max(maxIdLength),
    act: z.enum(acts),
    /** The cue as the corpus has it, or the one that is added. */
    cue: cueSchema.optional(),
    /** Of a correction: what it should be. */
    to: cueSchema.optional(),
    /** Of an undoing: the decision that is void. */
    undoes: z.string().max(64).optional(),
  })
  .refine(({ act, cue }) => (act === "undo") === (cue === undefined), "cue: expected one, and none to undo")
  .refine(({ act, to }) => (act === "correct") === (to !== undefined), "to: expected one of a correction alone")
  .refine(({ act, undoes }) => (act === "undo") === (undoes !== undefined), "undoes: expected one to undo alone");

/**
 * Example: `{ version: 1, id: "m2k9d81f-1", at: "2026-03-01T10:00:00.000Z", by: "ada", sample: "train-00012", act: "correct",
 *    cue: { kind: "video", text: "a smile" }, to: { kind: "video", text: "a forced smile" } }`
 */
export type Decision = z.output<typeof decisionSchema>;

/** A reason where the value is no decision. */
export function checkDecision(value: unknown): { readonly decision: Decision } | { readonly reason: string } {
  const checked = decisionSchema.safeParse(value);
  if (checked.success) return { decision: checked.data };
  const { path, message } = checked.error.issues[0]!;
  return { reason: `${path.join(".") || "decision"}: ${message}`.slice(0, 300) };
}

/** A line of a journal. */
export function parseDecision(line: string): { readonly decision: Decision } | { readonly reason: string } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { reason: "not JSON" };
  }
  return checkDecision(value);
}

/** Cues of one sample are told apart by it. */
export function cueKey({ kind, text }: Cue): string {
  return `${kind}:${text}`;
}
