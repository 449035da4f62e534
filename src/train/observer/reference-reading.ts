// The frozen reference in place of an observer: a cue can be read under a mask as far as the reference still finds it likely there.
// With l(x) the mean log-probability of a token of the cue, said at the beginning of the reasoning about clip x, the share is
//
//   (l(masked) - l(blank)) / (l(whole) - l(blank)), cut to 0..1
//
// where blank has nothing of the modality, and the other modality is as it is in all three: what it suggests cancels. A cue that
// the reference does not find likelier of the clip than of the blank is none that it can read: 0.
import { borrowedRows, type ClipLibrary } from "../../corpus/clips/clip-library.ts";
import type { Sample } from "../../data/sample.ts";
import type { Cue } from "../../evidence/cue.ts";
import type { ModelPrompt, OmniModel } from "../../models/omni-model.ts";
import { thinkIsOpen } from "../../rl/rollout.ts";
import { defaultStepOptions } from "../../rl/step-options.ts";
import { completionLogprobs } from "../../rl/token-logprobs.ts";
import { noGrad, scope, type Tensor } from "../../tensor/index.ts";
import type { ReadCues } from "../masked-inputs.ts";

/** Nats a token by which a cue has to be likelier of the whole clip than of the blank: less is rounding, or a guess. */
export const leastGain = 0.05;

/** Samples whose ends are remembered; those of the others are computed again, to the same bit. */
const maxKept = 65_536;

/** What the reference says of a cue where all and where nothing of the modality is shown. */
interface Ends {
  readonly whole: Float32Array;
  readonly blank: Float32Array;
}

/** l of one cue each, in nats. @returns 0 to 1 per cue */
export function readShares(masked: ArrayLike<number>, { whole, blank }: Ends): Float32Array {
  return Float32Array.from(whole, (high, c) => {
    const gain = high - blank[c]!;
    if (!(gain >= leastGain)) return 0;
    return Math.min(1, Math.max(0, (masked[c]! - blank[c]!) / gain));
  });
}

export interface ReadingReference {
  /** The start's, that stays as it is. */
  readonly reference: OmniModel;
  /** Its clips. */
  readonly library: ClipLibrary;
  readonly promptText: (sample: Sample) => string;
  /** Of the vocabulary's rows at once; left out: as a step takes them. */
  readonly tokensPerChunk?: number | null;
}

/** One forward pass per masked clip over its cues, which share the prompt, and one more the first time that a clip is asked for. */
export function readingReference({ reference, library, promptText, ...options }: ReadingReference): ReadCues {
  const kept = new Map<string, Ends>();
  const tokensPerChunk = options.tokensPerChunk ?? defaultStepOptions.tokensPerChunk;
  const likely = (sample: Sample, cues: readonly Cue[], views: readonly ModelPrompt["rows"][]): Float32Array[] => {
    const prompts = views.map((rows) => library.prompt(sample.id, promptText(sample), rows));
    const claims = cues.map(({ text }) => claimTokens(reference, prompts[0]!, text));
    const ids = claims.map((claim) => claim.ids);
    const logprobs = noGrad(() =>
      scope(() =>
        completionLogprobs(
          reference,
          prompts,
          prompts.map(() => ids),
          { temperature: 1, tokensPerChunk },
        ),
      ),
    );
    return logprobs.map((own) => Float32Array.from(own, (tokens, c) => meanFrom(tokens, claims[c]!.start)));
  };
  return ({ sample, modality, rows, cues }) => {
    if (cues.length === 0) return new Float32Array(0);
    const own = library.rows(sample.id);
    const showing = (shown: Tensor | null) =>
      modality === "video" ? borrowedRows(shown, own.audio) : borrowedRows(own.video, shown);
    const key = JSON.stringify([sample.id, modality, cues.map(({ text }) => text)]);
    let ends = kept.get(key);
    if (ends === undefined) {
      const blank = showing(library.blankRows(sample.id, modality));
      // In a pass of their own: a run that goes on finds the same bits as one that remembers them.
      const [ofWhole, ofBlank] = likely(sample, cues, [own, blank]);
      ends = { whole: ofWhole!, blank: ofBlank! };
      if (kept.size >= maxKept) kept.delete(kept.keys().next().value!);
      kept.set(key, ends);
    }
    const [masked] = likely(sample, cues, [showing(rows[modality])]);
    return readShares(masked!, ends);
  };
}

/** A cue as the first thing that a completion says, and where it begins in it: after what opens the reasoning. */
function claimTokens(model: OmniModel, prompt: Pick<ModelPrompt, "tokens">, text: string) {
  const opening = thinkIsOpen(model, prompt) ? "" : "<think>";
  const ids = model.encodeText(opening + text);
  const alone = model.encodeText(opening);
  // A token that joins the opening with the text's beginning is the text's.
  let start = 0;
  while (start < alone.length && start < ids.length - 1 && alone[start] === ids[start]) start++;
  return { ids, start };
}

function meanFrom(tokens: Float32Array, start: number): number {
  const counted = tokens.subarray(start);
  return counted.reduce((sum, logprob) => sum + logprob, 0) / counted.length;
}
