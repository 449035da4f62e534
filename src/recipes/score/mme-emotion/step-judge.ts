// The two language models of MME-Emotion, behind our client: one that cuts an answer into steps, one that looks at the frames and
// reads the audio clue and says which steps hold. The intent is the reference's (extract_step.py, eval_cot_gpt4o.py); the words
// are ours, and replies are JSON of a schema instead of tags. What cannot be judged is missing, with the reason.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import type { MmeClip } from "../../../bench/mme-emotion/tasks.ts";
import { mediaPath } from "../../../data/jsonl.ts";
import type { ChatPart } from "../../../endpoint/chat.ts";
import { type OpenChatClient, openChatClient } from "../../../endpoint/chat-client.ts";
import type { EndpointOptions } from "../../../endpoint/endpoint-options.ts";
import type { EndpointStatistics } from "../../../endpoint/statistics.ts";
import { OppoError } from "../../../error.ts";
import { decodeClip } from "../../../media/isolated/index.ts";
import { frameUri } from "../../../page/picture.ts";

export type Judgement = { readonly scores: readonly number[] } | { readonly missing: string };

export interface StepJudge extends Disposable {
  /** Stamped into reports: who cuts, who judges. */
  readonly stepsName: string;
  readonly judgeName: string;
  /** How many requests are worth having under way at once. */
  readonly concurrency: number;
  /** The steps of an answer, the prediction last; a reason where there are none. */
  stepsOf(response: string): Promise<readonly string[] | { readonly missing: string }>;
  judge(clip: MmeClip, steps: readonly string[]): Promise<Judgement>;
  statistics(): EndpointStatistics;
}

export interface StepJudgeOptions {
  readonly judge: EndpointOptions;
  /** Null: the judge cuts too. */
  readonly steps: EndpointOptions | null;
  /** Where the clips lie; null: the judge sees none, and judges by the audio clue alone. */
  readonly media: string | null;
}

const maxStepTokens = 1024;
const maxJudgeTokens = 512;
/** As many pictures as the reference shows, at most one for a second. */
const maxFrames = 10;
const maxStepsJudged = 40;

const stepsSchema = {
  type: "object",
  properties: { steps: { type: "array", items: { type: "string" } }, prediction: { type: "string" } },
  required: ["steps", "prediction"],
  additionalProperties: false,
} as const;
const stepsReply = z.object({ steps: z.array(z.string()).max(maxStepsJudged), prediction: z.string() });

const judgeSchema = {
  type: "object",
  properties: { holds: { type: "array", items: { type: "integer", enum: [0, 1] } }, named: { type: "integer" } },
  required: ["holds", "named"],
  additionalProperties: false,
} as const;
const judgeReply = z.object({ holds: z.array(z.union([z.literal(0), z.literal(1)])), named: z.int().min(0) });

const stepsQuestion =
  "Below is what a model said about the emotion, sentiment or intent of a person in a video. List the steps of its reasoning, each in one short " +
  "sentence, in its order, without adding any. Then give what it predicts in the end, in its own words. An answer without a reasoning has no steps.\nAnswer:\n";

function judgeQuestion({ audioClue, labels }: MmeClip, steps: readonly string[], numFrames: number): string {
  const seen = numFrames > 0 ? `${numFrames} frames of a video follow` : "No frames are given";
  const heard = audioClue === null ? "nothing is known about its sound" : `its sound is described as: ${audioClue}`;
  const earlier = steps.slice(0, -1).map((step, i) => `${i + 1}. ${step}`);
  return [
    `You check what a model said about a video. ${seen}; ${heard}`,
    earlier.length === 0 ? "It gave no reasoning." : `Its reasoning, step by step:\n${earlier.join("\n")}`,
    `Its prediction: ${steps.at(-1)}`,
    `What is right (${labels.length === 1 ? "one label" : `${labels.length} labels`}): ${labels.join(", ")}`,
    `In "holds" give ${earlier.length} numbers, one for every step of the reasoning in order: 0 where the step clearly contradicts what can be seen or heard, else 1.`,
    'In "named" give how many of the right labels the prediction names, also in another form of the word; steps do not count here.',
  ].join("\n");
}

/** @throws OppoError ERR_ENDPOINT and its siblings, from the calls; what was answered is kept */
export function endpointStepJudge({ judge, steps, media }: StepJudgeOptions): StepJudge {
  const client = openChatClient(judge);
  const cutter = steps === null ? client : openChatClient(steps);
  return {
    stepsName: cutter.name,
    judgeName: client.name,
    concurrency: judge.concurrency ?? 8,
    stepsOf: (response) => stepsFrom(cutter, response),
    judge: (clip, given) => judgementOf(client, clip, given, media, judge.signal),
    statistics: () => client.statistics(),
    [Symbol.dispose]: () => {
      client[Symbol.dispose]();
      if (cutter !== client) cutter[Symbol.dispose]();
    },
  };
}

async function stepsFrom(client: OpenChatClient, response: string) {
  return await orMissing(async () => {
    const { text } = await client.chat({
      messages: [{ role: "user", content: `${stepsQuestion}${response}` }],
      maxTokens: maxStepTokens,
      temperature: 0,
      schema: { name: "steps", schema: stepsSchema },
    });
    const reply = stepsReply.safeParse(JSON.parse(text)).data;
    if (reply === undefined) return { missing: `more than ${maxStepsJudged} steps` };
    return [...reply.steps.filter((step) => step.trim() !== ""), reply.prediction];
  });
}

async function judgementOf(
  client: OpenChatClient,
  clip: MmeClip,
  steps: readonly string[],
  media: string | null,
  signal: AbortSignal | undefined,
): Promise<Judgement> {
  return await orMissing(async () => {
    const path = media === null ? null : mediaPath(media, { id: clip.videoId, media: clip.videoId });
    const frames = path === null ? null : createHash("sha256").update(readFileSync(path)).digest("hex");
    const text = judgeQuestion(clip, steps, frames === null ? 0 : maxFrames);
    const key = createHash("sha256")
      .update(JSON.stringify(["mme-judge-1", text, frames]))
      .digest("hex");
    const messages = async () => {
      const shown = path === null ? [] : await frameParts(path, signal);
      const asked = judgeQuestion(clip, steps, shown.length);
      return [{ role: "user", content: [{ type: "text", text: asked }, ...shown] } as const];
    };
    const { text: said } = await client.chat({
      contentKey: key,
      messages,
      maxTokens: maxJudgeTokens,
      temperature: 0,
      schema: { name: "judgement", schema: judgeSchema },
    });
    return readJudgement(said, steps.length - 1, clip.labels.length);
  });
}

function readJudgement(text: string, numEarlier: number, numLabels: number): Judgement {
  const reply = judgeReply.safeParse(JSON.parse(text)).data;
  if (reply === undefined) return { missing: "a judgement of another form" };
  const { holds, named } = reply;
  if (holds.length !== numEarlier) return { missing: `${holds.length} marks for ${numEarlier} steps` };
  if (named > numLabels) return { missing: `${named} of ${numLabels} labels named` };
  return { scores: [...holds, named / numLabels] };
}

async function frameParts(path: string, signal: AbortSignal | undefined): Promise<ChatPart[]> {
  const clip = await decodeClip(path, { fps: 1, minFrames: 1, maxFrames }, signal);
  const indices = Array.from({ length: clip.numFrames }, (_, i) => i);
  const uris = await Promise.all(indices.map((i) => frameUri(clip, i)));
  return uris.map((url) => ({ type: "image_url", image_url: { url } }));
}

const aboutOneClip = /^ERR_(ENDPOINT_UNFIT|ENDPOINT_REJECTED|MEDIA_.*)$/;

/** What is about this one clip is a missing judgement; what is about the server ends the scoring, which can go on later. */
async function orMissing<T>(ask: () => Promise<T>): Promise<T | { readonly missing: string }> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof OppoError && aboutOneClip.test(error.code)) return { missing: error.message };
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { missing: "its clip is not there" };
    throw error;
  }
}
