// Where a score report goes beside the screen: files in the forms that were asked for, or standard output.
import { replaceFile } from "../../run/checkpoint.ts";
import { scoreCsv, scoreLatex } from "./paper.ts";
import type { ScoreReport } from "./report.ts";
import { scoreMarkdown } from "./text.ts";

/** A file per form; "-" is standard output. */
export interface OutputFiles {
  readonly markdown?: string | null | undefined;
  readonly html?: string | null | undefined;
  readonly latex?: string | null | undefined;
  readonly csv?: string | null | undefined;
}

export interface Outputs {
  /** The forms that were asked for on standard output; null: none, so the report itself goes there. */
  readonly printed: string | null;
  /** A line per file. */
  readonly written: string;
}

export async function writeOutputs(report: ScoreReport, files: OutputFiles): Promise<Outputs> {
  const makers: Readonly<Record<keyof OutputFiles, () => string | Promise<string>>> = {
    markdown: () => scoreMarkdown(report),
    html: async () => (await import("./page.ts")).scorePage(report),
    latex: () => scoreLatex(report),
    csv: () => scoreCsv(report),
  };
  const written: string[] = [];
  const printed: string[] = [];
  for (const form of Object.keys(makers) as (keyof OutputFiles)[]) {
    const file = files[form] ?? null;
    if (file === null) continue;
    const content = await makers[form]();
    if (file === "-") printed.push(content);
    else {
      replaceFile(file, content);
      written.push(`written to ${file}\n`);
    }
  }
  return { printed: printed.length > 0 ? printed.join("\n") : null, written: written.join("") };
}
