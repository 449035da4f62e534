// Errors about media files. `file` names the file; `code` is stable, so that a dataset can count skips by reason.

import { OppoError } from "../error.ts";

export type MediaErrorCode =
  | "media-not-found"
  | "media-empty"
  | "media-invalid"
  | "media-no-streams"
  | "media-codec"
  | "media-truncated"
  | "media-broken"
  | "media-too-few-frames"
  | "media-too-long"
  | "media-too-large"
  | "media-argument"
  | "media-encode"
  | "media-no-space"
  | "media-write";

/** A media file that cannot be read or written. The message reads: `FILE: expected X, got Y. What to do.` */
export class MediaError extends OppoError {
  declare readonly code: MediaErrorCode;
  readonly file: string;

  constructor(code: MediaErrorCode, file: string, problem: string, options?: { cause?: unknown }) {
    super(code, `${file}: ${problem}`, options);
    this.file = file;
  }
}
