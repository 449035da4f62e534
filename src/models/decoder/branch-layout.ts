// Where the tokens of a batch of branches lie. The layers run on packed rows, real tokens only, when completions differ
// enough in length or number; attention wants [B, G, C] and gets it by gathering. Pure index arithmetic.
// B prompts, G branches per prompt (the most any prompt has), C branch tokens (the longest), N branches, R rows

export interface BranchLayout {
  readonly prompts: number;
  readonly branches: number;
  readonly tokens: number;
  /** Input id of every row: the prompt's last token, then all of the completion but its last. [R] */
  readonly ids: Int32Array;
  /** Consecutive from the prompt's last position, [R]: axes agree on text. */
  readonly positions: Int32Array;
  /** Null when the rows are all B * G * C places. */
  readonly packing: {
    /** Row of every place, [B * G * C]; places without a token repeat row 0. */
    readonly rowOf: Int32Array;
    /** Place of every row, [R]. */
    readonly placeOf: Int32Array;
  } | null;
  /** Row of every (branch, token), [N * C]; null when the rows are exactly these. */
  readonly output: Int32Array | null;
}

/** Packing pays when at most this share of the places has a token. */
const PACK_BELOW = 0.9;

export function layOutBranches(
  lastIds: Int32Array,
  lastPositions: Int32Array,
  completions: readonly (readonly Int32Array[])[],
): BranchLayout {
  const prompts = completions.length;
  const branches = Math.max(...completions.map((own) => own.length));
  const all = completions.flat();
  const tokens = Math.max(...all.map((ids) => ids.length));
  const numPlaces = prompts * branches * tokens;
  const numTokens = all.reduce((sum, ids) => sum + ids.length, 0);
  const packed = numTokens <= PACK_BELOW * numPlaces;
  const numRows = packed ? numTokens : numPlaces;
  const ids = new Int32Array(numRows);
  const positions = new Int32Array(numRows);
  const rowOf = new Int32Array(numPlaces);
  const placeOf = new Int32Array(numRows);
  const output = new Int32Array(all.length * tokens);
  let row = 0;
  let branch = 0;
  completions.forEach((own, b) => {
    own.forEach((completion, g) => {
      const place = (b * branches + g) * tokens;
      if (!packed) row = place;
      const count = packed ? completion.length : tokens;
      for (let c = 0; c < count; c++) {
        ids[row + c] = c === 0 ? lastIds[b]! : (completion[c - 1] ?? 0);
        positions[row + c] = lastPositions[b]! + c;
        rowOf[place + c] = row + c;
        placeOf[row + c] = place + c;
        output[branch * tokens + c] = row + c;
      }
      row += count;
      branch++;
    });
  });
  const complete = !packed && all.length === prompts * branches;
  return {
    prompts,
    branches,
    tokens,
    ids,
    positions,
    packing: packed ? { rowOf, placeOf } : null,
    output: complete ? null : output,
  };
}
