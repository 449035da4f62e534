// Errors about media files. `file` names the file; `code` is stable, so that a dataset can count skips by reason.

import { OppoError } from "../error.ts";

export type MediaErrorCode =
  | "ERR_MEDIA_NOT_FOUND"
  | "ERR_MEDIA_EMPTY"
  | "ERR_MEDIA_INVALID"
  | "ERR_MEDIA_NO_STREAMS"
  | "ERR_MEDIA_CODEC"
  | "ERR_MEDIA_TRUNCATED"
  | "ERR_MEDIA_BROKEN"
  | "ERR_MEDIA_TOO_FEW_FRAMES"
  | "ERR_MEDIA_TOO_LONG"
  | "ERR_MEDIA_TOO_LARGE"
  | "ERR_MEDIA_TIME"
  | "ERR_MEDIA_MEMORY"
  | "ERR_MEDIA_CRASH"
  | "ERR_MEDIA_ARGUMENT"
  | "ERR_MEDIA_ENCODE"
  | "ERR_MEDIA_NO_SPACE"
  | "ERR_MEDIA_WRITE";

/** A media file that cannot be read or written. The message reads: `FILE: expected X, got Y. What to do.` */
export class MediaError extends OppoError {
  declare readonly code: MediaErrorCode;
  readonly file: string;

  constructor(code: MediaErrorCode, file: string, problem: string, options?: { cause?: unknown }) {
    super(code, `${file}: ${problem}`, options);
    this.file = file;
  }
}

export function outOfMemory(got: string): string {
  return `expected to decode within the limit of memory, got more (${got}). Scale it down or cut it.`;
}
