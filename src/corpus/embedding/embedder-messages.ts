// What a run and the process of its embedder say to one another.
import type { ErrorCode } from "../../error.ts";
import type { TextRole } from "../../evidence/cue.ts";
import type { EmbedderAccess, OpenedEmbedder } from "./opened-embedder.ts";

/** What the process is told of how to open it: plain data. */
export type PlainAccess = Omit<EmbedderAccess, "client" | "isApart">;

export type ToEmbedder =
  | { readonly kind: "open"; readonly choice: string; readonly access: PlainAccess }
  | { readonly kind: "embed"; readonly id: number; readonly texts: readonly string[]; readonly role: TextRole };

export interface OpenedFacts extends Pick<OpenedEmbedder, "isSlow" | "textsPerTurn" | "notes"> {
  readonly kind: "opened";
  readonly name: string;
  readonly dimension: number;
  readonly isAsymmetric: boolean;
}

export type FromEmbedder =
  | OpenedFacts
  /** Row-major [texts, dimension]. */
  | { readonly kind: "vectors"; readonly id: number; readonly vectors: Float32Array }
  /** id: null of what concerns all. */
  | { readonly kind: "error"; readonly id: number | null; readonly code: ErrorCode; readonly message: string };
