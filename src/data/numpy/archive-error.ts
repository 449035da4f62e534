// What a NumPy archive that cannot be trusted or read leads to: an error that names the file and the member, and says that
// nothing was executed.
import { DatasetError } from "../jsonl.ts";

/** Codes: `ERR_NPZ_UNREADABLE` (damaged, or a feature we do not read), `ERR_NPZ_TOO_LARGE` (a bomb), `ERR_NPZ_REFUSED` (a pickle that wants to run something). */
export type ArchiveErrorCode = "ERR_NPZ_UNREADABLE" | "ERR_NPZ_TOO_LARGE" | "ERR_NPZ_REFUSED";

export function archiveError(code: ArchiveErrorCode, file: string, problem: string, advice: string): DatasetError {
  return new DatasetError(code, `${file}: ${problem}. ${advice}`, { file });
}

/** For damage of any kind. */
export function damaged(file: string, expected: string, got: string): DatasetError {
  return archiveError(
    "ERR_NPZ_UNREADABLE",
    file,
    `expected ${expected}, got ${got}`,
    "Make the file again with numpy.savez, or give the data as JSONL or CSV.",
  );
}
