// What a model says about clips and pictures: thinking, answer, speed, and what it was not allowed to see or hear. One
// question per clip, or one about several together. A clip that cannot be read is an answer too, with the reason.
import { userTurn, type Wording } from "../../corpus/wording.ts";
import { OppoError } from "../../error.ts";
import type { Modality, ModalityMask } from "../../media/clip.ts";
import { joinRows } from "../../models/clip-rows.ts";
import {
  type ChatTurn,
  type ClipRows,
  type OmniModel,
  type PromptPart,
  type SampledCompletion,
  withoutStop,
} from "../../models/omni-model.ts";
import { noGrad, scope } from "../../tensor/index.ts";
import { parseResponse } from "../../text/response.ts";
import { type MaskReport, maskReports, modalitiesOf, readView, subtitleBeside, type View } from "./infer-view.ts";
import type { ClipQuestion } from "./questions.ts";
import { seconds, TextStream, TokenClock } from "./text-stream.ts";

export { wordingNote, wordingOf } from "../../corpus/wording.ts";
export type { Modality } from "../../media/clip.ts";

export interface InferOptions {
  readonly wording: Wording;
  /** null: of the files beside the clips (CLIP.vtt, CLIP.srt), if there are any. */
  readonly subtitle: string | null;
  readonly masks: readonly ModalityMask[];
  /** The sound inside the video, interleaved in time, instead of behind it. */
  readonly audioInVideo: boolean;
  readonly maxNewTokens: number;
  readonly temperature: number;
  readonly topP: number | null;
  readonly topK: number | null;
  readonly repetitionPenalty: number | null;
  readonly seed: number;
  /** Text as it is generated. */
  readonly onText?: (text: string) => void;
}

export interface Answer {
  /** Of the sample, where one was asked about. */
  readonly id?: string;
  /** What was asked about. */
  readonly clips: readonly string[];
  readonly prompt: string;
  readonly text: string;
  readonly think: string | null;
  readonly answer: string | null;
  readonly labels: readonly string[];
  readonly isWellFormed: boolean;
  /** Why it is not. */
  readonly problem: string | null;
  /** Where files gave less than they state, with figures. */
  readonly notices: readonly string[];
  /** What the model was given: modalities that one of the clips has at least. */
  readonly modalities: readonly Modality[];
  readonly masked: readonly MaskReport[];
  readonly numPromptTokens: number;
  readonly numNewTokens: number;
  readonly isTruncated: boolean;
  /** Decoding, resizing and the towers. */
  readonly encodeSeconds: number;
  /** From the prompt to its first token. */
  readonly firstTokenSeconds: number;
  /** Of the tokens after the first; null when there is only one. */
  readonly tokensPerSecond: number | null;
}

export interface Unread {
  readonly id?: string;
  readonly clips: readonly string[];
  readonly error: { readonly code: string; readonly message: string };
}

/** One question about one or several clips. @throws OppoError ERR_MEDIA_* and those of the model's prompt */
export async function infer(model: OmniModel, asked: ClipQuestion, options: InferOptions): Promise<Answer> {
  const start = performance.now();
  const { clips, id } = asked;
  const views: View[] = [];
  for (const clip of clips) views.push(await readView(model, clip, options.masks, asked.audio));
  const subtitle = options.subtitle ?? asked.subtitle ?? clips.map(subtitleBeside).filter(Boolean).join(" ");
  const { system, question } = options.wording;
  const prompt = userTurn(options.wording, subtitle, question);
  return scope(() => {
    const features = views.map(({ shown }) => model.features(shown));
    using rows = joined(noGrad(() => model.encode(features)));
    const encoded = performance.now();
    const media = views.map(({ isImage }, i): PromptPart => {
      return isImage ? { type: "image", image: features[i]! } : { type: "clip", clip: features[i]! };
    });
    const turns: ChatTurn[] = [{ role: "user", parts: [...media, { type: "text", text: prompt }] }];
    if (system !== null) turns.unshift({ role: "system", parts: [{ type: "text", text: system }] });
    const tokens = model.chatTokens(turns, options.audioInVideo ? { layout: "audio-in-video" } : {});
    const clock = new TokenClock();
    const stream = options.onText ? new TextStream(model, options.onText) : null;
    const [[completion]] = model.sample([{ tokens, rows }], {
      numSamples: 1,
      maxNewTokens: options.maxNewTokens,
      temperature: options.temperature,
      seeds: [options.seed],
      ...(options.topP === null ? {} : { topP: options.topP }),
      ...(options.topK === null ? {} : { topK: options.topK }),
      ...(options.repetitionPenalty === null ? {} : { repetitionPenalty: options.repetitionPenalty }),
      onToken: (_prompt, _sample, { id }) => {
        clock.tick();
        if (!model.stopIds.includes(id)) stream?.push(id);
        return undefined;
      },
    }) as [[SampledCompletion]];
    stream?.finish();
    return {
      ...(id === undefined ? {} : { id }),
      clips,
      prompt,
      ...responseOf(model, completion),
      notices: views.flatMap(({ file, notices }) => notices.map((notice) => `${file}: ${notice}`)),
      modalities: modalitiesOf(views),
      masked: maskReports(views, options.masks),
      numPromptTokens: tokens.ids.length,
      numNewTokens: completion.ids.length,
      isTruncated: completion.truncated,
      encodeSeconds: seconds(start, encoded),
      firstTokenSeconds: seconds(encoded, clock.first),
      tokensPerSecond: clock.rate(),
    };
  });
}

/** Every question in turn; one whose clips cannot be read does not stop the others. */
export async function inferAll(
  model: OmniModel,
  questions: readonly ClipQuestion[],
  options: InferOptions,
  onAnswer: (answer: Answer | Unread) => void | Promise<void>,
): Promise<(Answer | Unread)[]> {
  const answers: (Answer | Unread)[] = [];
  for (const question of questions) {
    const answer = await infer(model, question, options).catch((error: unknown): Unread => {
      if (!(error instanceof OppoError)) throw error;
      const { clips, id } = question;
      return { ...(id === undefined ? {} : { id }), clips, error: { code: error.code, message: error.message } };
    });
    answers.push(answer);
    await onAnswer(answer);
  }
  return answers;
}

/** The rows of all clips as those of one; the single clip's own are not copied. */
function joined(rows: readonly ClipRows[]): ClipRows {
  if (rows.length === 1) return rows[0]!;
  const all = joinRows(rows);
  for (const own of rows) own[Symbol.dispose]();
  return all;
}

function responseOf(model: OmniModel, { ids, truncated }: SampledCompletion) {
  const text = model.decodePieces(withoutStop(model, ids)).join("");
  const { think, answer, labels, wellFormed, problem } = parseResponse(text, { truncated });
  return {
    text,
    think: think?.text ?? null,
    answer: answer?.text ?? null,
    labels,
    isWellFormed: wellFormed,
    problem: problem ?? null,
  };
}
