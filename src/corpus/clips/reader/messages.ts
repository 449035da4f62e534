// What the thread that reads clips is told and tells.
import type { ClipFiles } from "../../../data/conversations/conversation.ts";
import type { ErrorCode } from "../../../error.ts";
import type { MediaClip } from "../../../media/clip.ts";
import type { VideoFit } from "../../../media/fit.ts";

export interface ReaderOptions {
  /** Where the media are. */
  readonly root: string;
  /** How the model looks at a clip, and the name of that. */
  readonly fit: VideoFit;
  readonly fitKey: string;
  /** Decoders' processes. */
  readonly workers: number;
  /** Processor time per file. */
  readonly maxSeconds: number;
  /** Where decoded clips are kept on the disk; null: nowhere. */
  readonly cache: { readonly folder: string; readonly maxBytes: number } | null;
}

export type ReaderRequest =
  | { readonly kind: "read"; readonly number: number; readonly clip: ClipFiles }
  /** Ends the decoders, then the thread. */
  | { readonly kind: "close" };

export type ReaderReply =
  | { readonly kind: "clip"; readonly number: number; readonly clip: MediaClip }
  | { readonly kind: "refused"; readonly number: number; readonly code: ErrorCode; readonly message: string }
  /** A fault of ours. */
  | { readonly kind: "fault"; readonly number: number; readonly message: string }
  /** Something that a person should know once. */
  | { readonly kind: "notice"; readonly message: string };
