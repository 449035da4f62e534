// What is learnt, as conversations, whatever the file holds: samples become a question and an answer of their fields, HumanOmni's and
// ms-swift's rows are conversations already.
import { dirname, join, resolve } from "node:path";
import { readCorpus } from "../../corpus/clips/read-corpus.ts";
import { kindOf } from "../../corpus/kinds.ts";
import type { ContentRow } from "../../corpus/overlap.ts";
import { fieldMapOf } from "../../corpus/settings.ts";
import { kindWording, userTurn, type Wording, wordingNote, wordingOf } from "../../corpus/wording.ts";
import { type Conversation, clipsOf, turnProblem } from "../../data/conversations/conversation.ts";
import { type DataForm, formOf, readConversations } from "../../data/conversations/read-conversations.ts";
import type { Sample } from "../../data/sample.ts";
import { OppoError } from "../../error.ts";
import { frequentQuestion, isSilent } from "./frequent-question.ts";
import type { SftRunConfig } from "./settings.ts";

export interface SftData {
  readonly file: string;
  readonly form: DataForm;
  readonly conversations: readonly Conversation[];
  /** Of the file, by id, also those with nothing to learn; null for conversations. */
  readonly samples: ReadonlyMap<string, Sample> | null;
  readonly mediaRoot: string;
  /** What the model is asked with afterwards; null: the rows ask too many things. */
  readonly wording: Wording | null;
  readonly notes: readonly string[];
}

const formNames: Readonly<Record<DataForm, string>> = {
  samples: "our samples",
  conversations: "HumanOmni's conversations",
  messages: "ms-swift's messages",
};

/**
 * @param wording of the data that is learnt from, for those that are measured on; left out: it is chosen here
 * @throws DatasetError, OppoError ERR_NO_SAMPLES, ERR_SFT_TARGETS
 */
export async function readSftData(
  file: string,
  config: SftRunConfig,
  log: (line: string) => void,
  wording: Wording | null = null,
): Promise<SftData> {
  const form = config.format === "auto" ? await formOf(file) : config.format;
  const mediaRoot = resolve(config.media ?? dirname(file));
  const data =
    form === "samples"
      ? await samplesOf(file, config, log, wording)
      : await conversationsOf(file, form, mediaRoot, config, log);
  const what = form === "samples" ? "samples" : "conversations";
  if (data.conversations.length === 0) {
    throw new OppoError("ERR_NO_SAMPLES", `${file}: expected ${what} to learn from, got none. Check the file.`);
  }
  const how = config.format === "auto" ? "told by the first rows" : "as the setting says";
  const note = `${file}: ${data.conversations.length} ${what} in the form of ${formNames[form]}, ${how}`;
  return { file, form, mediaRoot, ...data, notes: [note, ...data.notes] };
}

type ReadData = Pick<SftData, "conversations" | "samples" | "wording" | "notes">;

async function samplesOf(
  file: string,
  config: SftRunConfig,
  log: (line: string) => void,
  given: Wording | null,
): Promise<ReadData> {
  const samples = await readCorpus(file, config.maxSkippedRows, log, fieldMapOf(config.fields));
  const known = wordingOf([config.model]);
  const usual = known.file === null ? { ...known, wording: kindWording(kindOf(samples)) } : known;
  const { question, system } = config;
  const wording = given ?? {
    ...usual.wording,
    question: question ?? usual.wording.question,
    system: system ?? usual.wording.system,
  };
  const conversations: Conversation[] = [];
  const empty: string[] = [];
  for (const sample of samples) {
    const turns = sampleTurns(sample, wording);
    const problem = targetProblem(sample) ?? turnProblem(turns);
    if (problem !== null) empty.push(`${sample.id}: ${problem}`);
    else conversations.push({ id: sample.id, place: sample.id, isNamed: true, turns });
  }
  refuseEmpty(file, empty, samples.length, config.maxSkippedFraction);
  const left = `${file}: samples left out that have nothing to learn: ${empty.length}; the first: ${empty[0]}`;
  return {
    conversations,
    samples: new Map(samples.map((sample) => [sample.id, sample])),
    wording,
    notes: [...(given === null ? [wordingNote(usual, question)] : []), ...(empty.length === 0 ? [] : [left])],
  };
}

/** `<think>reasoning</think><answer>labels</answer>` */
function sampleTurns(sample: Sample, wording: Wording): Conversation["turns"] {
  const { id, media, audio, subtitle, reasoning, labels } = sample;
  const clip = { id, media, ...(audio === undefined ? {} : { audio }) };
  const answer = `<think>${reasoning.trim()}</think><answer>${labels.join(", ")}</answer>`;
  return [
    ...(wording.system === null ? [] : [{ role: "system", parts: [{ type: "text", text: wording.system }] } as const]),
    {
      role: "user",
      parts: [
        { type: "clip", clip, shows: null },
        { type: "text", text: userTurn(wording, subtitle, wording.question) },
      ],
    },
    { role: "assistant", parts: [{ type: "text", text: answer }] },
  ];
}

function targetProblem({ reasoning, labels }: Sample): string | null {
  if (reasoning.trim() === "") return "no reasoning";
  if (labels.every((label) => label.trim() === "")) return "no labels";
  const tag = /<\/?(?:think|answer)>/i.exec(`${reasoning} ${labels.join(" ")}`)?.[0];
  return tag === undefined ? null : `${tag} inside its reasoning or labels`;
}

function refuseEmpty(file: string, empty: readonly string[], total: number, limit: number): void {
  if (empty.length <= limit * total) return;
  throw new OppoError(
    "ERR_SFT_TARGETS",
    `${file}: expected at most ${Math.floor(limit * total)} of ${total} samples without a reasoning and labels to learn, got ${empty.length}; the last is ${empty.at(-1)}. Give such samples both, take them out, or raise maxSkippedFraction.`,
  );
}

const maxNamed = 3;

async function conversationsOf(
  file: string,
  form: "conversations" | "messages",
  mediaRoot: string,
  { seed, maxSkippedRows, videoSound }: SftRunConfig,
  log: (line: string) => void,
): Promise<ReadData> {
  const rules = { form, mediaRoot, seed, maxSkippedRows, withSound: videoSound };
  const { conversations, skipped } = await readConversations(file, rules);
  if (skipped.length > 0) log(`${file}: rows skipped: ${skipped.length}`);
  for (const reason of skipped.slice(0, maxNamed)) log(`  ${reason}`);
  if (skipped.length > maxNamed) log(`  and ${skipped.length - maxNamed} more`);
  const silent = conversations.filter(isSilent).length;
  const { wording, note } = frequentQuestion(conversations);
  const soundNote = `${file}: ${silent} of ${conversations.length} show a video without its sound (no <audio> follows it); --video-sound adds it`;
  return { conversations, samples: null, wording, notes: [note, ...(silent > 0 ? [soundNote] : [])] };
}

/** For the comparison of what is learnt with what is measured. */
export function contentRows(data: Pick<SftData, "mediaRoot">, conversations: readonly Conversation[]) {
  return conversations.map((conversation): ContentRow & { readonly conversation: Conversation } => {
    const clips = clipsOf([conversation]);
    const files = clips.flatMap(({ media, audio }) => (audio === undefined ? [media] : [media, audio]));
    return {
      conversation,
      id: conversation.isNamed ? conversation.id : null,
      name: `${conversation.place} (${files.join(", ") || "no clip"})`,
      media: files.map((path) => join(data.mediaRoot, path)),
    };
  });
}
