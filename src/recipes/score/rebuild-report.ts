// `oppo report` on the JSON of `oppo score --json`: its page, beside it.
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { OppoError } from "../../error.ts";
import { replaceFile } from "../../run/checkpoint.ts";
import { scorePage } from "./page.ts";
import type { ScoreReport } from "./report.ts";

/** What tells a score from other JSON; the rest is looked at when the page is made. */
const shape = z.looseObject({
  schema: z.string().startsWith("oppo.score/"),
  systems: z
    .array(z.looseObject({ name: z.string(), sets: z.array(z.looseObject({ title: z.string() })).min(1) }))
    .min(1),
});

/** @returns the page's path. @throws OppoError ERR_SCORE_REPORT */
export function rebuildScoreReport(file: string): string {
  const wrong = (got: string, cause?: unknown) =>
    new OppoError(
      "ERR_SCORE_REPORT",
      `${file}: expected what oppo score --json prints, got ${got}. Score again: oppo score ... --json > ${basename(file)}.`,
      { cause },
    );
  let report: ScoreReport;
  try {
    report = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw wrong((cause as NodeJS.ErrnoException).code ?? "something that is not JSON", cause);
  }
  const { error } = shape.safeParse(report);
  if (error !== undefined)
    throw wrong(`${error.issues[0]!.path.join(".") || "the whole"}: ${error.issues[0]!.message}`);
  const page = join(dirname(file), `${basename(file, ".json")}.html`);
  let text: string;
  try {
    text = scorePage(report);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw wrong("one with parts missing", cause);
  }
  replaceFile(page, text);
  return page;
}
