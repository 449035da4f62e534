// What attention reads, and how it is cut: many prompts, long ones and many branches are done in slices, so that their scores
// do not fill the memory.
// B prompts, G branches per prompt, N = B * G, P prefix, C branch tokens, Q query heads per key head, H key heads, K head dimension
import type { Tensor } from "../../tensor/index.ts";

/** Rotated keys and values of a prefix, [B * H, P, K] each. */
export interface KeysValues {
  readonly keys: Tensor;
  readonly values: Tensor;
}

/** How many rows of what: fixes every reshape below. */
export interface BranchShape {
  readonly prompts: number;
  readonly branches: number;
  readonly tokens: number;
}

/** An additive mask of prefixes, of which any rows can be had. */
export interface PrefixMask {
  /** [1 or B, 1, 1, count, P] */
  rows(start: number, count: number): Tensor;
  /** No row sees what comes after it: keys past a slice's last row are left out. */
  readonly isCausal?: boolean;
  /** Some prompt is shorter than others. */
  readonly isPadded?: boolean;
}

/** Scores held at once; more prompts, and long ones by their rows, are done in slices. */
export const MAX_SCORES = 1 << 26;
/** Of slices of rows: several copies of them live at once. */
const MAX_ROW_SCORES = 1 << 24;

/** Some prompts' prefixes, whole or of one prompt some rows. */
export interface PrefixSlice {
  readonly prompt: number;
  readonly prompts: number;
  readonly row: number;
  readonly rows: number;
}

/** Slices of at most `maxScores` scores where a row allows it, prompt by prompt and row by row. */
export function prefixSlices(batch: number, heads: number, tokens: number, maxScores = MAX_SCORES): PrefixSlice[] {
  const ofPrompt = heads * tokens * tokens;
  const prompts = Math.max(1, Math.floor(maxScores / ofPrompt));
  const rows =
    ofPrompt > maxScores
      ? Math.max(1, Math.floor(Math.min(maxScores, MAX_ROW_SCORES) / (heads * tokens)))
      : Math.max(1, tokens);
  const slices: PrefixSlice[] = [];
  for (let prompt = 0; prompt < batch; prompt += prompts) {
    for (let row = 0; row < tokens; row += rows) {
      slices.push({ prompt, prompts: Math.min(prompts, batch - prompt), row, rows: Math.min(rows, tokens - row) });
    }
  }
  return slices;
}

/** Some prompts with all branches, or of one prompt some branches, or of one branch some key heads. */
export interface BranchSlice {
  readonly prompt: number;
  readonly branch: number;
  readonly head: number;
  readonly heads: number;
  readonly shape: BranchShape;
}

/** Slices of at most `maxScores` scores where a key head of a branch allows it. @param width keys that a row sees */
export function branchSlices(
  shape: BranchShape,
  [keyHeads, perKey]: readonly [number, number],
  width: number,
  maxScores = MAX_SCORES,
): BranchSlice[] {
  const ofHead = perKey * shape.tokens * width;
  const fits = (scores: number) => Math.max(1, Math.floor(maxScores / scores));
  const prompts = Math.min(shape.prompts, fits(ofHead * keyHeads * shape.branches));
  const branches = prompts > 1 ? shape.branches : Math.min(shape.branches, fits(ofHead * keyHeads));
  const heads = branches > 1 ? keyHeads : Math.min(keyHeads, fits(ofHead));
  const slices: BranchSlice[] = [];
  for (let prompt = 0; prompt < shape.prompts; prompt += prompts) {
    for (let branch = 0; branch < shape.branches; branch += branches) {
      for (let head = 0; head < keyHeads; head += heads) {
        const own = {
          prompts: Math.min(prompts, shape.prompts - prompt),
          branches: Math.min(branches, shape.branches - branch),
          tokens: shape.tokens,
        };
        slices.push({ prompt, branch, head, heads: Math.min(heads, keyHeads - head), shape: own });
      }
    }
  }
  return slices;
}

/** What branch attention reads. */
export interface BranchOperands {
  /** [N * C, H * Q, K] */
  readonly queries: Tensor;
  /** [B * H, P, K] */
  readonly prefix: KeysValues;
  /** Of the branches, [N * C, H, K]. */
  readonly own: KeysValues;
  /** Additive, [1 or B, 1, 1, 1, C, P + C]. */
  readonly mask: Tensor;
  readonly shape: BranchShape;
}

export function slicesOf({ queries, own, mask, shape }: BranchOperands, maxScores: number): BranchSlice[] {
  const keyHeads = own.keys.size(1);
  return branchSlices(shape, [keyHeads, queries.size(1) / keyHeads], mask.size(5), maxScores);
}

/** The operands of a slice. */
export function partOf({ queries, prefix, own, mask, shape: all }: BranchOperands, slice: BranchSlice): BranchOperands {
  const keyHeads = own.keys.size(1);
  const { prompt, head, heads, shape } = slice;
  const ofBranches = (x: Tensor) => rowsAndColumns(x, slice, all, keyHeads);
  const ofPrompts = (x: Tensor) => x.narrow(0, prompt * keyHeads + head, (shape.prompts - 1) * keyHeads + heads);
  return {
    queries: ofBranches(queries),
    prefix: { keys: ofPrompts(prefix.keys), values: ofPrompts(prefix.values) },
    own: { keys: ofBranches(own.keys), values: ofBranches(own.values) },
    mask: mask.size(0) === 1 ? mask : mask.narrow(0, prompt, shape.prompts),
    shape,
  };
}

/** A slice's part of x, whose rows are those of all branches and whose second axis is made of `keyHeads` equal parts. */
export function rowsAndColumns(
  x: Tensor,
  { prompt, branch, head, heads, shape }: BranchSlice,
  all: BranchShape,
  keyHeads: number,
): Tensor {
  const perHead = x.size(1) / keyHeads;
  const rows = x.narrow(0, (prompt * all.branches + branch) * all.tokens, shape.prompts * shape.branches * all.tokens);
  return heads === keyHeads ? rows : rows.narrow(1, head * perHead, heads * perHead);
}
