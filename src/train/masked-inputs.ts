// The counterfactual inputs of a step: a prompt's clip with a modality degraded, or with another clip's in its place, and how
// well the prompt's cues can still be read of it. Rows are made per step and live as long as it.
import { borrowedRows, type ClipLibrary } from "../corpus/clips/clip-library.ts";
import type { Sample } from "../data/sample.ts";
import type { Cue } from "../evidence/cue.ts";
import type { Readability } from "../evidence/route.ts";
import type { Modality, ModalityMask } from "../media/clip.ts";
import { swapKind, unitsKind } from "../media/degrade/degrade.ts";
import type { ClipRows, PromptTokens } from "../models/omni-model.ts";
import { type MaskKey, takesAll } from "../rl/mask-draws.ts";
import type { PromptPair } from "../rl/plan.ts";
import { deriveUniform } from "../seeds.ts";
import type { LiveRows } from "./live-rows.ts";

/** One modality of a sample's clip as it is after a mask. */
export interface SeenModality {
  readonly sample: Sample;
  readonly modality: Modality;
  /** By the start's towers. */
  readonly rows: ClipRows;
  /** The sample's of the modality. */
  readonly cues: readonly Cue[];
}

/** How well cues can be read of one modality's rows, 0 to 1 each: what the other modality suggests does not count. */
export type ReadCues = (seen: SeenModality) => Float32Array;

/** Whose word counts: nobody's (nothing can be read under a mask), the mask's own dose, an observer's, the reference's. */
export type Support = "none" | "mask" | "observer" | "reference";

export interface InputMaker {
  readonly library: ClipLibrary;
  readonly live: LiveRows | null;
  readonly promptText: (sample: Sample) => string;
  /** The samples of the step: partners of a swap. */
  readonly samples: readonly Sample[];
  readonly support: Support;
  readonly readCues: ReadCues | null;
  /** Whether two cues are the same in other words. */
  readonly isSame: (cue: Cue, other: Cue) => boolean;
}

/** A degraded clip as a prompt about it has it. */
export interface MaskedInput {
  readonly pair: PromptPair;
  /** Whose modality is shown in place of the clip's own. */
  readonly partners: Partial<Readonly<Record<Modality, Sample>>>;
  /** Of the sample's cues; those of an untouched modality and of the emotion read 1. Read when it is asked for: an observer or a reference looks. */
  readonly readable: Readability;
}

/** Makes the masked inputs of a step and holds their rows, whatever happens on the way. */
export class MaskedInputs implements Disposable {
  readonly #maker: InputMaker;
  readonly #owned: ClipRows[] = [];

  constructor(maker: InputMaker) {
    this.#maker = maker;
  }

  /** Of the same prompts, with rows of towers as they are now. */
  renewed(live: LiveRows): MaskedInputs {
    return new MaskedInputs({ ...this.#maker, live });
  }

  /** @param drawn masks as `drawMasks` has them; swaps get their partner here */
  make(sample: Sample, drawn: readonly ModalityMask[], key: MaskKey): MaskedInput {
    const partners: Partial<Record<Modality, Sample>> = {};
    const masks = drawn.flatMap((mask): ModalityMask[] => {
      if (mask.kind !== swapKind) return [mask];
      const partner = this.#partner(sample, mask.modality, key);
      // Nobody to swap with in a step of one prompt: the modality is taken away.
      if (partner === null) return [{ modality: mask.modality, ratio: 1, seed: mask.seed, kind: unitsKind }];
      partners[mask.modality] = partner;
      return [];
    });
    const rows = this.#own(sample, masks, partners);
    const read = () => this.#readable(sample, masks, partners, rows);
    let readable: Readability | null = null;
    return {
      pair: this.#pair(sample, masks, partners, rows),
      partners,
      get readable() {
        readable ??= read();
        return readable;
      },
    };
  }

  /** Another sample of the step, one with another label where there is one. */
  #partner(sample: Sample, modality: Modality, { seed, step }: MaskKey): Sample | null {
    const others = this.#maker.samples.filter(({ id }) => id !== sample.id);
    const unlike = others.filter(({ labels }) => !labels.some((label) => sample.labels.includes(label)));
    const from = unlike.length > 0 ? unlike : others;
    const place = deriveUniform(seed, "swap-partner", step, sample.id, modality);
    return from[Math.floor(place * from.length)] ?? null;
  }

  /** Rows by the start's towers: the reference's, and the policy's where its towers are frozen. */
  #own(sample: Sample, masks: readonly ModalityMask[], partners: MaskedInput["partners"]): ClipRows {
    const { library } = this.#maker;
    const [own] = library.maskedRows([{ sampleId: sample.id, masks }]);
    this.#owned.push(own!);
    return withPartners(own!, partners, ({ id }) => library.rows(id));
  }

  #pair(
    sample: Sample,
    masks: readonly ModalityMask[],
    partners: MaskedInput["partners"],
    start: ClipRows,
  ): PromptPair {
    const { live } = this.#maker;
    const tokens = this.#tokens(sample, partners);
    if (live === null) return { policy: { tokens, rows: start } };
    const rows = withPartners(live.rows(sample.id, masks), partners, ({ id }) => live.rows(id));
    return { policy: { tokens, rows }, reference: { tokens, rows: start } };
  }

  /** A partner's modality has the partner's length. */
  #tokens(sample: Sample, partners: MaskedInput["partners"]): PromptTokens {
    const { library, promptText } = this.#maker;
    const shape = {
      video: library.shape(partners.video?.id ?? sample.id).video,
      audio: library.shape(partners.audio?.id ?? sample.id).audio,
    };
    return library.prompt(sample.id, promptText(sample), null, shape).tokens;
  }

  #readable(
    sample: Sample,
    masks: readonly ModalityMask[],
    partners: MaskedInput["partners"],
    rows: ClipRows,
  ): Readability {
    const readable = new Float32Array(sample.cues.length).fill(1);
    const fill = (modality: Modality, share: (cue: Cue, place: number) => number) => {
      let place = 0;
      sample.cues.forEach((cue, c) => {
        if (cue.kind === modality) readable[c] = share(cue, place++);
      });
    };
    for (const modality of ["video", "audio"] as const) {
      const partner = partners[modality];
      if (partner !== undefined) {
        const shown = partner.cues.filter(({ kind }) => kind === modality);
        fill(modality, (cue) => (shown.some((other) => this.#maker.isSame(cue, other)) ? 1 : 0));
      }
    }
    for (const mask of masks) {
      const cues = sample.cues.filter(({ kind }) => kind === mask.modality);
      const values = this.#read(sample, rows, mask, cues);
      fill(mask.modality, (_, place) => values[place]!);
    }
    return readable;
  }

  #read(sample: Sample, rows: ClipRows, mask: ModalityMask, cues: readonly Cue[]): Float32Array {
    const { support, readCues } = this.#maker;
    if (support === "observer" || support === "reference") {
      return readCues!({ sample, modality: mask.modality, rows, cues });
    }
    return new Float32Array(cues.length).fill(support === "none" || takesAll(mask) ? 0 : 1);
  }

  [Symbol.dispose](): void {
    for (const rows of this.#owned) rows[Symbol.dispose]();
  }
}

function withPartners(
  own: ClipRows,
  partners: MaskedInput["partners"],
  rowsOf: (partner: Sample) => ClipRows,
): ClipRows {
  const { video, audio } = partners;
  if (video === undefined && audio === undefined) return own;
  return borrowedRows(
    video === undefined ? own.video : rowsOf(video).video,
    audio === undefined ? own.audio : rowsOf(audio).audio,
  );
}
