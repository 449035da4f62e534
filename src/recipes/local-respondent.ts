// A model of ours as the respondent of a benchmark: greedy answers to questions about library clips, in batches.
import type { ClipView, Query, Respondent } from "../bench/respondent.ts";
import type { Sample } from "../data/sample.ts";
import type { Modality } from "../media/clip.ts";
import type { OmniModel } from "../models/omni-model.ts";
import { noGrad, scope } from "../tensor/index.ts";
import { borrowedRows, type ClipLibrary } from "./clip-library.ts";

const queriesPerBatch = 64;

export interface LocalRespondentOptions {
  readonly name: string;
  readonly maxNewTokens: number;
  /** The user turn for a question about a sample (it may quote the subtitle). */
  readonly promptText: (sample: Sample, question: string) => string;
  /** Called between batches; may let the event loop turn, and may throw to stop. */
  readonly onBatch?: (numDone: number, numTotal: number) => void | Promise<void>;
}

/** @param library holds every clip that queries mention, encoded by the towers of `model`. */
export function localRespondent(model: OmniModel, library: ClipLibrary, options: LocalRespondentOptions): Respondent {
  return {
    name: options.name,
    async respond(queries) {
      const texts: string[] = [];
      for (let start = 0; start < queries.length; start += queriesPerBatch) {
        texts.push(...answerBatch(model, library, queries.slice(start, start + queriesPerBatch), options));
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
  return scope(() =>
    noGrad(() => {
      const prompts = queries.map(({ prompt, view }) =>
        library.prompt(view.sample.id, options.promptText(view.sample, prompt), viewRows(library, view)),
      );
      const completions = model.sample(prompts, {
        numSamples: 1,
        maxNewTokens: options.maxNewTokens,
        temperature: 0,
      });
      return completions.map(([completion]) => model.decodePieces(completion!.ids).join(""));
    }),
  );
}

function viewRows(library: ClipLibrary, view: ClipView) {
  const rowsOf = (modality: Modality) => {
    const source = view[modality];
    return source === null ? library.blankRows(view.sample.id, modality) : library.rows(source.id)[modality];
  };
  return borrowedRows(rowsOf("video"), rowsOf("audio"));
}
