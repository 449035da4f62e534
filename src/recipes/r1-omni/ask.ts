// A model's answers to the clips of a set, greedily, a part of the clips at a time.

import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { intactView } from "../../bench/respondent.ts";
import { ClipLibrary } from "../../corpus/clips/clip-library.ts";
import { fitSamples } from "../../corpus/clips/fitted-samples.ts";
import { localRespondent } from "../../corpus/clips/local-respondent.ts";
import { loadSamples } from "../../data/jsonl.ts";
import { OppoError } from "../../error.ts";
import { loadModel } from "../../models/registry.ts";
import { replaceFile } from "../../run/checkpoint.ts";
import type { TaskContext } from "./context.ts";

export interface AskTask {
  readonly model: string;
  readonly question: string;
  /** Samples to ask about, and where the answers to each go. */
  readonly sets: readonly { readonly file: string; readonly out: string }[];
  readonly maxNewTokens: number;
}

export interface Answered {
  readonly id: string;
  readonly media: string;
  readonly gold: string;
  /** null: the clip could not be read. */
  readonly text: string | null;
}

const clipsPerPart = 64;
/** A benchmark with more unreadable clips is another benchmark. */
const maxSkippedFraction = 0.02;

export async function ask(context: TaskContext, task: AskTask): Promise<void> {
  const { config, interrupt, progress } = context;
  const { device, dtype } = config;
  using model = await loadModel(task.model, config.theatre ? {} : { device, ...(dtype === null ? {} : { dtype }) });
  for (const { file, out } of task.sets) {
    const { samples } = await loadSamples(file);
    const answers: Answered[] = [];
    for (let start = 0; start < samples.length; start += clipsPerPart) {
      const part = samples.slice(start, start + clipsPerPart);
      const { fitted } = await fitSamples(dirname(file), part, {
        // The whole set decides, below.
        ...{ model, maxSkippedFraction: 1, signal: interrupt.signal },
        ...(config.theatre ? { cacheFile: join(context.paths.cache, `${start}-${nameOf(file)}.safetensors`) } : {}),
      });
      using library = new ClipLibrary(model);
      library.add(fitted);
      const respondent = localRespondent(model, library, {
        ...{ name: task.model, maxNewTokens: task.maxNewTokens },
        promptText: (_, question) => question,
        onBatch: () => interrupt.safePoint(),
      });
      const texts = await respondent.respond(
        fitted.map(({ sample }) => ({ prompt: task.question, view: intactView(sample) })),
      );
      const byId = new Map(fitted.map(({ sample }, i) => [sample.id, texts[i]!]));
      for (const { id, media, labels } of part) {
        answers.push({ id, media, gold: labels[0]!, text: byId.get(id) ?? null });
      }
      progress({ done: answers.length, total: samples.length, detail: nameOf(file) });
    }
    requireReadable(file, answers);
    mkdirSync(dirname(out), { recursive: true });
    replaceFile(out, `${JSON.stringify(answers, null, 1)}\n`);
  }
}

/** @throws OppoError ERR_TOO_MANY_SKIPPED */
function requireReadable(file: string, answers: readonly Answered[]): void {
  const unread = answers.filter(({ text }) => text === null);
  const limit = Math.floor(maxSkippedFraction * answers.length);
  if (unread.length <= limit) return;
  throw new OppoError(
    "ERR_TOO_MANY_SKIPPED",
    `${file}: expected at most ${limit} of ${answers.length} clips to be unreadable, got ${unread.length}; the last is ${unread.at(-1)!.id} (${unread.at(-1)!.media}). Bring or repair them.`,
  );
}

const nameOf = (file: string) => file.slice(dirname(file).length + 1).replace(/\.jsonl$/, "");
