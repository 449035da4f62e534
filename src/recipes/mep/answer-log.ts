// Answers of a local model as they come, so that a run that was killed goes on: a batch is written when it is complete, and
// is either there as a whole or asked again. Batches are cut as the first time, because a number may depend in its last bit on
// what it is computed beside: the texts of a resumed run are those of an undisturbed one.
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, truncateSync } from "node:fs";
import { z } from "zod";
import type { Query, Respondent } from "../../bench/respondent.ts";

const rowSchema = z.object({ key: z.string(), texts: z.array(z.string()) });

/** A respondent that writes its batches to `file`, and does not ask what is there already. */
export function recordedRespondent(
  respondent: Respondent,
  file: string,
  batchSize: number,
  onBatch: (queries: readonly Query[], texts: readonly string[]) => Promise<void>,
): Respondent {
  const known = readLog(file);
  return {
    name: respondent.name,
    async respond(queries) {
      const texts: string[] = [];
      for (let start = 0; start < queries.length; start += batchSize) {
        const batch = queries.slice(start, start + batchSize);
        const key = batchKey(batch);
        let answers = known.get(key);
        if (answers?.length !== batch.length) {
          answers = await respondent.respond(batch);
          appendFileSync(file, `${JSON.stringify({ key, texts: answers })}\n`);
        }
        texts.push(...answers);
        await onBatch(batch, answers);
      }
      return texts;
    },
  };
}

/** What a killed process left of its last line is cut off. */
function readLog(file: string): Map<string, readonly string[]> {
  const known = new Map<string, readonly string[]>();
  if (!existsSync(file)) return known;
  const text = readFileSync(file, "utf8");
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  if (whole.length < text.length) truncateSync(file, Buffer.byteLength(whole));
  for (const line of whole.split("\n")) {
    if (line === "") continue;
    const { key, texts } = rowSchema.parse(JSON.parse(line));
    known.set(key, texts);
  }
  return known;
}

function batchKey(queries: readonly Query[]): string {
  const rows = queries.map(({ prompt, view: { sample, video, audio } }) => [
    ...[prompt, sample.id, video?.id ?? null, audio?.id ?? null],
  ]);
  return createHash("sha256").update(JSON.stringify(rows)).digest("hex");
}
