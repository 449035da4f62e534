// Tower rows as owners: of one clip, and of all media of a prompt.
import { op, type Tensor } from "../tensor/index.ts";
import type { ClipRows } from "./omni-model.ts";

/** Rows that are disposed together. */
export function clipRows(video: Tensor | null, audio: Tensor | null): ClipRows {
  return {
    video,
    audio,
    [Symbol.dispose]() {
      video?.dispose();
      audio?.dispose();
    },
  };
}

/** The rows of a prompt with several clips and images, given in their order; a copy, which the caller owns. */
export function joinRows(media: readonly ClipRows[]): ClipRows {
  const joined = (name: "video" | "audio"): Tensor | null => {
    const parts = media.flatMap((rows) => rows[name] ?? []);
    return parts.length === 0 ? null : op.cat(parts, { dim: 0 });
  };
  return clipRows(joined("video"), joined("audio"));
}
