// What a command line asks about: files, or the samples of JSON lines, each with its own line and sound.
import { dirname } from "node:path";
import { audioPath, loadSamples, mediaPath } from "../../data/jsonl.ts";
import { OppoError } from "../../error.ts";

export interface ClipQuestion {
  readonly clips: readonly string[];
  /** Of a sample. */
  readonly id?: string;
  /** Of a sample, empty where it has none; left out: of the files beside the clips. */
  readonly subtitle?: string;
  /** A sample's sound file, in place of its clip's own track. */
  readonly audio?: string;
}

/** @param together one question about all files @throws OppoError ERR_USAGE, DatasetError */
export async function questionsOf(
  args: readonly string[],
  together: boolean,
  log: (line: string) => void,
): Promise<ClipQuestion[]> {
  const isCorpus = (name: string) => name.toLowerCase().endsWith(".jsonl");
  if (together) {
    const corpus = args.find(isCorpus);
    if (corpus === undefined) return [{ clips: [...args] }];
    throw new OppoError("ERR_USAGE", `--together: expected clips, got ${corpus}. Samples are asked one by one.`);
  }
  const questions: ClipQuestion[] = [];
  for (const name of args) questions.push(...(isCorpus(name) ? await sampleQuestions(name, log) : [{ clips: [name] }]));
  return questions;
}

async function sampleQuestions(file: string, log: (line: string) => void): Promise<ClipQuestion[]> {
  const { samples, skipped } = await loadSamples(file);
  for (const { line, reason } of skipped) log(`${file}:${line}: left out: ${reason}`);
  const root = dirname(file);
  return samples.map((sample) => {
    const audio = audioPath(root, sample);
    const { id, subtitle } = sample;
    return { clips: [mediaPath(root, sample)], id, subtitle, ...(audio === null ? {} : { audio }) };
  });
}
