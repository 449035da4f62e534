// Tower rows as an observer keeps them: few enough and narrow enough that thousands of views of clips fit in memory, whatever
// the model. Of a small model nothing is lost; a large one's neighbouring rows are averaged, and its width goes through
// a random projection, which keeps distances (Johnson and Lindenstrauss 1984).
// R rows, D width of the model, P places, W width kept
import { Generator, keep, noGrad, op, scope, type Tensor, tensor } from "../../tensor/index.ts";
import { maxPlaces, maxWidth } from "./sizes.ts";

/** [W, D] float32, or null where the model is narrow enough. The caller owns it. */
export function drawProjection(width: number, seed: number): Tensor | null {
  if (width <= maxWidth) return null;
  return scope(() => {
    using generator = new Generator(seed);
    return keep(op.randn([maxWidth, width], { generator }).div(Math.sqrt(width)));
  });
}

/** [R, D] -> [P, W], float32 on the CPU, without history. */
export function pooledRows(rows: Tensor, projection: Tensor | null): Tensor {
  return noGrad(() =>
    scope(() => {
      const wide = rows.detach().to({ dtype: "float32" });
      const [count, width] = wide.shape as [number, number];
      const few = count <= maxPlaces ? wide : op.adaptiveAvgPool2d(wide.unsqueeze(0), [maxPlaces, width]).squeeze(0);
      const host = few.to({ device: "cpu" });
      return projection === null ? host.clone() : op.linear(host, projection);
    }),
  );
}

/**
 * Pooled rows of many clips as one batch: [B, P, W] with zeros after the end of a shorter clip, and what to add to attention
 * scores, [B, 1, P]; null where all are as long.
 */
export function stackRows(pooled: readonly Tensor[]): { rows: Tensor; ends: Tensor | null } {
  const counts = pooled.map(({ shape }) => shape[0]!);
  const numPlaces = Math.max(...counts);
  if (counts.every((count) => count === numPlaces)) return { rows: op.stack(pooled), ends: null };
  const rows = op.stack(pooled.map((one, i) => op.pad(one, [0, 0, 0, numPlaces - counts[i]!])));
  const ends = Float32Array.from({ length: counts.length * numPlaces }, (_, i) =>
    i % numPlaces < counts[Math.floor(i / numPlaces)]! ? 0 : Number.NEGATIVE_INFINITY,
  );
  return { rows, ends: tensor(ends, [counts.length, 1, numPlaces]) };
}
