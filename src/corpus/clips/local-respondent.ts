// A model of ours as the respondent of a benchmark: greedy answers to questions about library clips, in batches.
import type { ClipView, Query, Respondent, ViewMask } from "../../bench/respondent.ts";
import type { Sample } from "../../data/sample.ts";
import type { Modality } from "../../media/clip.ts";
import { type ClipRows, type ClipShape, type OmniModel, withoutStop } from "../../models/omni-model.ts";
import { noGrad, scope } from "../../tensor/index.ts";
import type { ClipLibrary } from "./clip-library.ts";

/** Answers may depend on the batch in the last bit, so whoever repeats a part of a run keeps to its size. */
export const defaultBatchSize = 64;

/** How a masked modality is shown: black frames and silence, or left out of the prompt. */
export type MaskedAs = "blank" | "dropped";

export interface LocalRespondentOptions {
  readonly name: string;
  readonly maxNewTokens: number;
  /** The user turn for a question about a sample (it may quote the subtitle). */
  readonly promptText: (sample: Sample, question: string) => string;
  /** Queries that are decoded together. Default 64. */
  readonly batchSize?: number;
  /** A masked modality is shown as black frames or silence (default), or not at all. */
  readonly masked?: MaskedAs;
  /** Called before a batch with the samples whose clips it needs; left out: all are in the library. */
  readonly load?: (samples: readonly Sample[]) => Promise<void>;
  /** Called between batches; may let the event loop turn, and may throw to stop. */
  readonly onBatch?: (numDone: number, numTotal: number) => void | Promise<void>;
}

/** @param library holds every clip that queries mention, encoded by the towers of `model`. */
export function localRespondent(model: OmniModel, library: ClipLibrary, options: LocalRespondentOptions): Respondent {
  return {
    name: options.name,
    async respond(queries) {
      const texts: string[] = [];
      const { batchSize = defaultBatchSize } = options;
      for (let start = 0; start < queries.length; start += batchSize) {
        const batch = queries.slice(start, start + batchSize);
        await options.load?.(samplesOf(batch));
        texts.push(...answerBatch(model, library, batch, options));
        await options.onBatch?.(texts.length, queries.length);
      }
      return texts;
    },
  };
}

function answerBatch(
  model: OmniModel,
  library: ClipLibrary,
  queries: readonly Query[],
  options: LocalRespondentOptions,
): string[] {
  const shown = queries.map(({ view }) => viewRows(library, view, options.masked ?? "blank"));
  try {
    return scope(() =>
      noGrad(() => {
        const prompts = queries.map(({ prompt, view }, i) => {
          const { rows, shape } = shown[i]!;
          return library.prompt(view.sample.id, options.promptText(view.sample, prompt), rows, shape);
        });
        const completions = model.sample(prompts, {
          numSamples: 1,
          maxNewTokens: options.maxNewTokens,
          temperature: 0,
        });
        // A server does not send the token that ended a reply; neither do we.
        return completions.map(([completion]) => model.decodePieces(withoutStop(model, completion!.ids)).join(""));
      }),
    );
  } finally {
    for (const { rows } of shown) rows[Symbol.dispose]();
  }
}

function samplesOf(queries: readonly Query[]): Sample[] {
  const samples = queries.flatMap(({ view }) => [view.sample, view.video, view.audio, ...(view.mask?.partners ?? [])]);
  return [...new Map(samples.flatMap((sample) => (sample === null ? [] : [[sample.id, sample]]))).values()];
}

/**
 * Rows and sizes of what a view shows: each modality has those of the clip that it comes from. The caller disposes the rows.
 * @param masked how a modality that the view does not have is shown
 */
export function viewRows(
  library: ClipLibrary,
  view: ClipView,
  masked: MaskedAs = "blank",
): { rows: ClipRows; shape: ClipShape } {
  const degraded = view.mask === undefined ? null : degradedRows(library, view, view.mask);
  const rowsOf = (modality: Modality) => {
    const source = view[modality];
    if (degraded !== null && view.mask!.modality === modality) return degraded[modality];
    if (source !== null) return library.rows(source.id)[modality];
    return masked === "dropped" ? null : library.blankRows(view.sample.id, modality);
  };
  const shapeOf = (modality: Modality) =>
    view[modality] === null && masked === "dropped" ? null : library.shape((view[modality] ?? view.sample).id);
  return {
    rows: { video: rowsOf("video"), audio: rowsOf("audio"), [Symbol.dispose]: () => degraded?.[Symbol.dispose]() },
    shape: { video: shapeOf("video")?.video ?? null, audio: shapeOf("audio")?.audio ?? null },
  };
}

/** The rows of the stream that a view masks; null where it plays none. */
function degradedRows(library: ClipLibrary, view: ClipView, mask: ViewMask): ClipRows | null {
  const source = view[mask.modality];
  if (source === null) return null;
  const { partners, ...drawn } = mask;
  const others = partners.map(({ id }) => library.fitted(id));
  return library.maskedRows([{ sampleId: source.id, masks: [{ ...drawn, others }] }])[0]!;
}
