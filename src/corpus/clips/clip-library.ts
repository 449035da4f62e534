// The clips of a corpus as a model with frozen towers knows them: decoded once, brought to the model's resolution once,
// encoded once. Prompts borrow the rows; masked views are encoded from the fitted clip, through the same features and
// towers, so a mask cannot miss a preprocessing step.
import { OppoError } from "../../error.ts";
import type { MediaClip, Modality, ModalityMask } from "../../media/clip.ts";
import { isOfUnits } from "../../media/degrade/degrade.ts";
import type {
  ClipFeatures,
  ClipRows,
  ClipShape,
  ModelPrompt,
  OmniModel,
  PromptTokens,
} from "../../models/omni-model.ts";
import { byteSize, keep, noGrad, scope, type Tensor } from "../../tensor/index.ts";
import type { FittedClip } from "./fitted-samples.ts";

/** Clips per tower call: large enough to fill the matrix products, small enough to stay in the cache. */
const clipsPerBatch = 16;

/** Rows of masked modalities that are kept when clips go: most corpora have a few shapes of video and many lengths of sound. */
const maxBlankBytes = 2 ** 28;

interface LibraryClip {
  readonly fitted: MediaClip;
  readonly shape: ClipShape;
  readonly rows: ClipRows;
}

/** Owner of the tower rows of many clips. */
export class ClipLibrary implements Disposable {
  readonly model: OmniModel;
  /** The system text of every prompt; null: the template's own. */
  readonly system: string | null;
  #clips = new Map<string, LibraryClip>();
  #blank = new Map<string, Tensor | null>();
  #prompts = new Map<string, PromptTokens>();

  constructor(model: OmniModel, system: string | null = null) {
    this.model = model;
    this.system = system;
  }

  /**
   * Runs the towers over clips that are not in the library yet.
   * @param perBatch clips per tower call; 1: a clip's rows are the same to the bit whatever is added beside it
   */
  add(samples: readonly FittedClip[], perBatch = clipsPerBatch): void {
    const fresh = samples.filter(({ sample }) => !this.#clips.has(sample.id));
    for (let start = 0; start < fresh.length; start += perBatch) {
      const batch = fresh.slice(start, start + perBatch);
      const features = batch.map(({ clip }) => this.model.features(clip));
      const rows = this.#encode(features);
      for (const [i, { sample, clip }] of batch.entries()) {
        this.#clips.set(sample.id, { fitted: clip, shape: this.model.shapeOf(features[i]!), rows: rows[i]! });
      }
    }
  }

  /** A prompt about a clip; `rows` replaces the clip's own: a masked or swapped view, of `shape` where that differs. */
  prompt(
    sampleId: string,
    text: string,
    rows: ClipRows | null = null,
    shape: ClipShape = this.shape(sampleId),
  ): ModelPrompt {
    const clip = this.#clip(sampleId);
    const key = `${shapeKey(shape)}\u0000${text}`;
    let tokens = this.#prompts.get(key);
    if (tokens === undefined) {
      tokens = this.model.promptTokens(text, shape, this.system === null ? {} : { system: this.system });
      this.#prompts.set(key, tokens);
    }
    return { tokens, rows: rows ?? clip.rows };
  }

  /** The clip at the model's resolution, before any mask. */
  fitted(sampleId: string): MediaClip {
    return this.#clip(sampleId).fitted;
  }

  rows(sampleId: string): ClipRows {
    return this.#clip(sampleId).rows;
  }

  shape(sampleId: string): ClipShape {
    return this.#clip(sampleId).shape;
  }

  has(sampleId: string): boolean {
    return this.#clips.has(sampleId);
  }

  /** Bytes of decoded clips, near enough for what the library holds: their rows are of the same order. */
  get numBytes(): number {
    let sum = 0;
    for (const { fitted } of this.#clips.values()) sum += clipBytes(fitted);
    return sum;
  }

  /** Bytes of a clip and its rows. */
  bytesOf(sampleId: string): number {
    const { fitted, rows } = this.#clip(sampleId);
    return clipBytes(fitted) + bytesOf(rows.video) + bytesOf(rows.audio);
  }

  /** Lets go of every clip but these, of all prompts, and of blank rows beyond a bound, those first that were asked for longest ago. */
  retain(sampleIds: ReadonlySet<string>): void {
    for (const [id, { rows }] of this.#clips) {
      if (sampleIds.has(id)) continue;
      rows[Symbol.dispose]();
      this.#clips.delete(id);
    }
    let bytes = 0;
    for (const rows of this.#blank.values()) bytes += bytesOf(rows);
    for (const [key, rows] of this.#blank) {
      if (bytes <= maxBlankBytes) break;
      bytes -= bytesOf(rows);
      rows?.dispose();
      this.#blank.delete(key);
    }
    this.#prompts.clear();
  }

  #forgetBlanks(): void {
    for (const rows of this.#blank.values()) rows?.dispose();
    this.#blank.clear();
  }

  /**
   * Rows of counterfactual clips (Eq. 6). Only the masked modality goes through its tower again; the other keeps the
   * clip's rows. The caller disposes what is returned.
   */
  maskedRows(requests: readonly { readonly sampleId: string; readonly masks: readonly ModalityMask[] }[]): ClipRows[] {
    return requests.map(({ sampleId, masks }) => {
      const clip = this.#clip(sampleId);
      const partial = masks.filter((mask) => mask.ratio < 1 || !isOfUnits(mask));
      const encoded = partial.length === 0 ? null : this.#encodeMasked(clip, partial);
      const pick = (modality: Modality) => {
        if (masks.some((mask) => mask.modality === modality && !partial.includes(mask)))
          return this.#blankRows(clip, modality);
        return partial.some((mask) => mask.modality === modality) ? encoded![modality] : clip.rows[modality];
      };
      return { video: pick("video"), audio: pick("audio"), [Symbol.dispose]: () => encoded?.[Symbol.dispose]() };
    });
  }

  /** The rows of a modality that is masked entirely: the same for every clip of one shape. */
  blankRows(sampleId: string, modality: Modality): Tensor | null {
    return this.#blankRows(this.#clip(sampleId), modality);
  }

  #blankRows(clip: LibraryClip, modality: Modality): Tensor | null {
    const key = `${modality} ${clip.shape[modality]?.key ?? "-"}`;
    let rows = this.#blank.get(key);
    if (rows === undefined) rows = this.#encodeMasked(clip, [{ modality, ratio: 1, seed: 0 }])[modality];
    // The end of the map is what was asked for last.
    this.#blank.delete(key);
    this.#blank.set(key, rows);
    return rows;
  }

  #encodeMasked(clip: LibraryClip, masks: readonly ModalityMask[]): ClipRows {
    const touched = (modality: Modality) => masks.some((mask) => mask.modality === modality);
    const part = {
      ...clip.fitted,
      ...(touched("video") ? {} : { frames: new Uint8Array(0), numFrames: 0 }),
      ...(touched("audio") ? {} : { waveform: new Float32Array(0) }),
    };
    const features = this.model.features(part, masks);
    return this.#encode([features])[0]!;
  }

  /** Rows outlive the scope that they are made in: the library, or who asked for masked ones, owns them. */
  #encode(features: readonly ClipFeatures[]): ClipRows[] {
    return scope(() => {
      const rows = noGrad(() => this.model.encode(features));
      for (const { video, audio } of rows) {
        if (video !== null) keep(video);
        if (audio !== null) keep(audio);
      }
      return rows;
    });
  }

  #clip(sampleId: string): LibraryClip {
    const clip = this.#clips.get(sampleId);
    if (clip === undefined)
      throw new OppoError(
        "ERR_CLIP_MISSING",
        `clip library: expected a clip that was added, got "${sampleId}". Add it first.`,
      );
    return clip;
  }

  [Symbol.dispose](): void {
    for (const { rows } of this.#clips.values()) rows[Symbol.dispose]();
    this.#clips.clear();
    this.#forgetBlanks();
  }
}

/** Rows that borrow from others: a view put together from several clips. Disposing it frees nothing. */
export function borrowedRows(video: Tensor | null, audio: Tensor | null): ClipRows {
  return { video, audio, [Symbol.dispose]() {} };
}

/** Of frames and samples. */
export function clipBytes({ frames, waveform }: Pick<MediaClip, "frames" | "waveform">): number {
  return frames.byteLength + waveform.byteLength;
}

/** Of one modality's rows. */
function bytesOf(rows: Tensor | null): number {
  return rows === null ? 0 : rows.numel * byteSize(rows.dtype);
}

function shapeKey(shape: ClipShape): string {
  return `${shape.video?.key ?? "-"}/${shape.audio?.key ?? "-"}`;
}
