// How parameters are parted among processes: all their elements in a row, cut into buckets, of each of which every process owns an
// equal part. A part may begin and end within a parameter.
import type { World } from "../tensor/index.ts";

/** A run of a parameter's elements, in its own order. */
export interface Piece {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** What is sent at once: the same on every rank. */
export interface Bucket {
  /** In the order in which they lie in it. */
  readonly pieces: readonly Piece[];
  /** Elements of a rank's part; the last parts may be longer than what is left. */
  readonly part: number;
}

/** Elements of a bucket: 16 MB of float32. */
const bucketElements = 2 ** 22;

/** Example: "model.norm.weight[512:1024]" */
export const pieceKey = ({ name, start, end }: Piece): string => `${name}[${start}:${end}]`;

export const lengthOf = ({ start, end }: Piece): number => end - start;

export function bucketsOf(
  parameters: ReadonlyMap<string, { readonly numel: number }>,
  size: number,
  elements = bucketElements,
): Bucket[] {
  const buckets: Piece[][] = [];
  let room = 0;
  for (const [name, { numel }] of parameters) {
    for (let start = 0; start < numel; ) {
      if (room === 0) {
        buckets.push([]);
        room = elements;
      }
      const end = Math.min(numel, start + room);
      buckets.at(-1)!.push({ name, start, end });
      room -= end - start;
      start = end;
    }
  }
  return buckets.map((pieces) => ({
    pieces,
    part: Math.ceil(pieces.reduce((sum, piece) => sum + lengthOf(piece), 0) / size),
  }));
}

/** Of a bucket, what is this rank's. */
export function ownPieces({ pieces, part }: Bucket, { rank }: Pick<World, "rank">): Piece[] {
  const [first, last] = [rank * part, (rank + 1) * part];
  let at = 0;
  return pieces.flatMap((piece) => {
    const offset = piece.start - at;
    at += lengthOf(piece);
    const start = Math.max(piece.start, first + offset);
    const end = Math.min(piece.end, last + offset);
    return end > start ? [{ name: piece.name, start, end }] : [];
  });
}

/** Of all parameters, what is this rank's. */
export function ownShard(
  parameters: ReadonlyMap<string, { readonly numel: number }>,
  world: Pick<World, "rank" | "size">,
): Piece[] {
  return bucketsOf(parameters, world.size).flatMap((bucket) => ownPieces(bucket, world));
}
