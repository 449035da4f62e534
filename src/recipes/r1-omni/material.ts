// What the four rows are made of and measured on, from whichever source: files in the forms that `oppo sft` and `oppo train` read.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { writeSamples } from "../../data/jsonl.ts";
import type { Sample } from "../../data/sample.ts";
import { replaceFile } from "../../run/checkpoint.ts";
import type { Questions } from "./rows.ts";

export interface TestSet {
  /** As tables print it, and as the published rows name it: "DFEW". */
  readonly title: string;
  /** Samples; the first label of each is the truth. */
  readonly file: string;
  readonly labels: readonly string[];
  /** Whether what is learnt from is of another kind. */
  readonly isOutside: boolean;
}

export interface Material {
  /** The base model's folder. */
  readonly base: string;
  /** Conversations, and where their clips are. */
  readonly cold: { readonly file: string; readonly media: string };
  readonly labels: { readonly file: string; readonly media: string };
  /** Samples with a label alone. */
  readonly rlvr: string;
  readonly sets: readonly TestSet[];
  readonly questions: Questions;
}

/** A row of R1-Omni's JSON about a clip with its sound. */
export function conversationRow(media: string, question: string, answer: string) {
  return {
    video: media,
    conversations: [
      { from: "human", value: `<video>\n<audio>\n${question}` },
      { from: "gpt", value: answer },
    ],
  };
}

export function thinkingAnswer(reasoning: string, label: string): string {
  return `<think>${reasoning}</think>\n<answer>${label}</answer>`;
}

export function writeRows(file: string, rows: readonly object[]): void {
  replaceFile(file, `${JSON.stringify(rows, null, 1)}\n`);
}

/** Labels as label SFT learns them and as RLVR is paid for them. */
export async function writeLabels(folder: string, samples: readonly Sample[], questions: Questions) {
  mkdirSync(folder, { recursive: true });
  const labels = { file: join(folder, "labels.json"), media: folder };
  writeRows(
    labels.file,
    samples.map((sample) => conversationRow(sample.media, questions.plain, sample.labels[0]!)),
  );
  const rlvr = join(folder, "rlvr.jsonl");
  await writeSamples(rlvr, samples.map(labelOnly));
  return { labels, rlvr };
}

/** A clip and its label; what else is known of it is left out. */
export function labelOnly({ id, media, audio, labels }: Sample): Sample {
  const sound = audio === undefined ? {} : { audio };
  return { id, media, ...sound, subtitle: "", labels: labels.slice(0, 1), reasoning: "", cues: [] };
}
