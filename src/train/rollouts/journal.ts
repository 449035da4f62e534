// Completions on the disk before anything is learned from them: a file per step, a line per prompt, written when a prompt's completions
// have come. A run that goes on reads them again in place of asking for others, which a server would draw otherwise: nothing that
// was sampled is lost, or sampled twice.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { appendRow } from "../../data/append-row.ts";
import type { SampledCompletion } from "../../models/omni-model.ts";
import type { EngineMark } from "../../rl/types.ts";
import { diskFullError, isDiskFull } from "../../run/disk.ts";
import type { RolloutRequest, RolloutRules } from "./engine.ts";

const schema = z.strictObject({
  sample: z.string(),
  /** Of what was asked: prompt, seeds, rules. */
  asked: z.string(),
  version: z.int().min(0),
  server: z.string(),
  completions: z.array(
    z.strictObject({ ids: z.array(z.int().min(0)), logprobs: z.array(z.number()), truncated: z.boolean() }),
  ),
});
type Line = z.infer<typeof schema>;

export interface Sampled {
  readonly completions: readonly SampledCompletion[];
  readonly engine: EngineMark;
}

const fileForm = /^step-(\d+)\.jsonl$/;

/** Changes when the same completions could not have been the answer. */
export function askedHash({ prompt, seeds }: Pick<RolloutRequest, "prompt" | "seeds">, rules: RolloutRules): string {
  const { groupSize, maxNewTokens, temperature } = rules;
  const hash = createHash("sha256").update(prompt.tokens.ids).update(prompt.tokens.lens);
  return hash.update(JSON.stringify([seeds, groupSize, maxNewTokens, temperature])).digest("hex");
}

/** The rollouts of a run, in a folder. */
export class Journal {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** What a step has already, by the hash of what was asked. A line that was cut off, or that is none, is not there. */
  read(step: number): Map<string, Sampled> {
    const path = this.#path(step);
    if (!existsSync(path)) return new Map();
    const lines = readFileSync(path, "utf8").split("\n");
    return new Map(
      lines.flatMap((text): [string, Sampled][] => {
        const line = readLine(text);
        if (line === null) return [];
        const { sample, asked, version, server } = line;
        const completions = line.completions.map(({ ids, logprobs, truncated }) => {
          return { ids: Int32Array.from(ids), logprobs: Float32Array.from(logprobs), truncated };
        });
        return [[keyOf(sample, asked), { completions, engine: { version, server } }]];
      }),
    );
  }

  /** Adds the completions of a prompt; they are on the disk when it returns. @throws OppoError ERR_DISK_FULL */
  append(step: number, sample: string, asked: string, { completions, engine }: Sampled): void {
    const line: Line = {
      sample,
      asked,
      ...engine,
      completions: completions.map(({ ids, logprobs, truncated }) => {
        return { ids: [...ids], logprobs: [...logprobs], truncated };
      }),
    };
    const path = this.#path(step);
    try {
      appendRow(path, line);
    } catch (error) {
      throw isDiskFull(error) ? diskFullError(path, `the rollouts of step ${step}`, error) : error;
    }
  }

  /** Lets go of the steps that no run goes on with any more. */
  forgetBefore(step: number): void {
    if (!existsSync(this.#folder)) return;
    for (const name of readdirSync(this.#folder)) {
      const found = fileForm.exec(name);
      if (found !== null && Number(found[1]) < step) rmSync(join(this.#folder, name), { force: true });
    }
  }

  #path(step: number): string {
    return join(this.#folder, `step-${String(step).padStart(6, "0")}.jsonl`);
  }
}

export function keyOf(sample: string, asked: string): string {
  return `${asked} ${sample}`;
}

function readLine(text: string): Line | null {
  try {
    const line = schema.safeParse(JSON.parse(text)).data ?? null;
    const isWhole = line?.completions.every(({ ids, logprobs }) => ids.length === logprobs.length) === true;
    return isWhole ? line : null;
  } catch {
    return null;
  }
}
