// What a model says about clips: thinking, answer, speed, and what it was not allowed to see or hear. A clip that cannot be
// read is an answer too, with the reason.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { theatreChatTemplate } from "../data/theatre/chat-template.ts";
import { promptText, reasoningQuestion } from "../data/theatre/script.ts";
import { OppoError } from "../error.ts";
import type { MediaClip, Modality, ModalityMask } from "../media/clip.ts";
import { decodeClip } from "../media/decode.ts";
import { applyMask, countMaskUnits, maskedUnits } from "../media/mask.ts";
import type { OmniModel, SampledCompletion } from "../models/omni-model.ts";
import { noGrad, scope } from "../tensor/index.ts";
import { parseResponse } from "../text/response.ts";
import { subtitleText } from "../text/subtitles.ts";
import { defaultQuestion, userTurn } from "./setting.ts";

export type { Modality } from "../media/clip.ts";

/** How a question about a clip is put. */
export interface Wording {
  readonly question: string;
  readonly turn: (subtitle: string, question: string) => string;
}

/** The theatre's models know the theatre's words only. */
export function wordingOf(modelDirectory: string): Wording {
  const template = join(modelDirectory, "chat_template.jinja");
  const isTheatre = existsSync(template) && readFileSync(template, "utf8") === theatreChatTemplate;
  return isTheatre ? { question: reasoningQuestion, turn: promptText } : { question: defaultQuestion, turn: userTurn };
}

export interface InferOptions {
  readonly wording: Wording;
  /** null: of the file beside the clip (CLIP.vtt, CLIP.srt), if there is one. */
  readonly subtitle: string | null;
  readonly system: string | null;
  readonly masks: readonly ModalityMask[];
  readonly maxNewTokens: number;
  readonly temperature: number;
  readonly topP: number | null;
  readonly seed: number;
  /** Text as it is generated. */
  readonly onText?: (text: string) => void;
}

export interface MaskReport extends ModalityMask {
  readonly numMasked: number;
  /** Video cells and 40 ms pieces of sound; 0 when the clip has none. */
  readonly numUnits: number;
}

export interface ClipAnswer {
  readonly clip: string;
  readonly prompt: string;
  readonly text: string;
  readonly think: string | null;
  readonly answer: string | null;
  readonly labels: readonly string[];
  readonly isWellFormed: boolean;
  /** Why it is not. */
  readonly problem: string | null;
  /** What the model was given: modalities of the clip. */
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

export interface UnreadClip {
  readonly clip: string;
  readonly error: { readonly code: string; readonly message: string };
}

/** One clip. @throws OppoError ERR_MEDIA_* and those of the model's prompt */
export async function inferClip(model: OmniModel, clip: string, options: InferOptions): Promise<ClipAnswer> {
  const start = performance.now();
  const fitted = model.fitClip(await decodeClip(clip, model.sampling));
  const masked = options.masks.reduce((view, mask) => applyMask(view, mask), fitted);
  const subtitle = options.subtitle ?? subtitleBeside(clip);
  const prompt = options.wording.turn(subtitle, options.wording.question);
  return scope(() => {
    const features = model.features(masked);
    using rows = noGrad(() => model.encode([features]))[0]!;
    const encoded = performance.now();
    const system = options.system === null ? {} : { system: options.system };
    const tokens = model.promptTokens(prompt, features, system);
    const clock = new TokenClock();
    const stream = options.onText ? new TextStream(model, options.onText) : null;
    const [[completion]] = model.sample([{ tokens, rows }], {
      numSamples: 1,
      maxNewTokens: options.maxNewTokens,
      temperature: options.temperature,
      seeds: [options.seed],
      ...(options.topP === null ? {} : { topP: options.topP }),
      onToken: (_prompt, _sample, { id }) => {
        clock.tick();
        stream?.push(id);
        return undefined;
      },
    }) as [[SampledCompletion]];
    stream?.finish();
    return {
      clip,
      prompt,
      ...responseOf(model, completion),
      modalities: modalitiesOf(fitted),
      masked: options.masks.map((mask) => maskReport(fitted, mask)),
      numPromptTokens: tokens.ids.length,
      numNewTokens: completion.ids.length,
      isTruncated: completion.truncated,
      encodeSeconds: seconds(start, encoded),
      firstTokenSeconds: seconds(encoded, clock.first),
      tokensPerSecond: clock.rate(),
    };
  });
}

/** Every clip in turn; one that cannot be read does not stop the others. */
export async function inferClips(
  model: OmniModel,
  clips: readonly string[],
  options: InferOptions,
  onAnswer: (answer: ClipAnswer | UnreadClip) => void | Promise<void>,
): Promise<(ClipAnswer | UnreadClip)[]> {
  const answers: (ClipAnswer | UnreadClip)[] = [];
  for (const clip of clips) {
    const answer = await inferClip(model, clip, options).catch((error: unknown): UnreadClip => {
      if (!(error instanceof OppoError)) throw error;
      return { clip, error: { code: error.code, message: error.message } };
    });
    answers.push(answer);
    await onAnswer(answer);
  }
  return answers;
}

function responseOf(model: OmniModel, { ids, truncated }: SampledCompletion) {
  const text = model.decodePieces(ids).join("");
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

function modalitiesOf(clip: MediaClip): Modality[] {
  const modalities: Modality[] = [];
  if (clip.numFrames > 0) modalities.push("video");
  if (clip.waveform.length > 0) modalities.push("audio");
  return modalities;
}

function maskReport(clip: MediaClip, mask: ModalityMask): MaskReport {
  const numUnits = countMaskUnits(clip, mask.modality);
  return { ...mask, numUnits, numMasked: maskedUnits(numUnits, mask).length };
}

/** The spoken line in the file beside a clip; empty without one. */
function subtitleBeside(clip: string): string {
  const stem = clip.replace(/\.[^./]*$/, "");
  const file = [`${stem}.vtt`, `${stem}.srt`].find((name) => existsSync(name));
  return file === undefined ? "" : subtitleText(readFileSync(file, "utf8"));
}

/** When tokens came. */
class TokenClock {
  first = Number.NaN;
  #last = Number.NaN;
  #count = 0;

  tick(): void {
    this.#last = performance.now();
    if (this.#count++ === 0) this.first = this.#last;
  }

  rate(): number | null {
    return this.#count < 2 ? null : (this.#count - 1) / seconds(this.first, this.#last);
  }
}

const millisecondsPerSecond = 1000;

function seconds(from: number, to: number): number {
  return (to - from) / millisecondsPerSecond;
}

/** Text of ids as they come: a character whose bytes are spread over tokens appears with its last one. */
class TextStream {
  readonly #model: OmniModel;
  readonly #onText: (text: string) => void;
  readonly #ids: number[] = [];
  #numShown = 0;

  constructor(model: OmniModel, onText: (text: string) => void) {
    this.#model = model;
    this.#onText = onText;
  }

  push(id: number): void {
    this.#ids.push(id);
    // What ends in replacement characters may still become something else.
    this.#show(this.#text().replace(/\uFFFD+$/, ""));
  }

  /** Shows what was held back. */
  finish(): void {
    this.#show(this.#text());
  }

  #text(): string {
    return this.#model.decodePieces(Int32Array.from(this.#ids)).join("");
  }

  #show(text: string): void {
    if (text.length <= this.#numShown) return;
    this.#onText(text.slice(this.#numShown));
    this.#numShown = text.length;
  }
}
