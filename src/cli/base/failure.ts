// From anything thrown to what a person reads and what a shell sees: one sentence, a code and an exit status. Errors of
// ours and of the system are expected and come without a stack; all others are faults of the program and say so.

import { CommanderError } from "commander";
import { type ErrorCode, OppoError } from "../../error.ts";
import { diskFullError, isDiskFull, whyNoFolder } from "../../run/disk.ts";
import { INTERRUPTED_EXIT_CODE, InterruptedError } from "../../run/interrupt.ts";
import { shaped } from "./json.ts";

export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  /** 1 failed, 2 used wrongly, 130 asked to stop. */
  readonly exitCode: number;
  readonly stack: string;
}

const FAILED = 1;
const USED_WRONGLY = 2;

/** What the system's error codes mean to someone who does not know them. */
const SYSTEM_SENTENCES: Readonly<Record<string, string>> = {
  EACCES: "expected the right to use it, got permission denied. Change its permissions or choose another path.",
  EPERM: "expected the right to use it, got operation not permitted. Change its owner or choose another path.",
  ENOENT: "expected it to exist, got nothing there. Check the path.",
  EEXIST: "expected a free name or a folder, got a file of that name. Choose another path.",
  ENOTDIR: "expected a folder, got a file on the way. Check the path.",
  EISDIR: "expected a file, got a folder. Check the path.",
  EROFS: "expected a writable disk, got a read-only one. Choose another folder.",
  EMFILE: "expected to open one more file, got too many open ones. Raise the limit (ulimit -n).",
  ENFILE: "expected to open one more file, got too many open ones on this machine. Close other programs.",
  ENOMEM: "expected free memory, got none. Close other programs or use smaller settings.",
};

const FREE_SOME = "Free some space and run the same command again; it goes on from what is finished.";

/** The failure to report for something thrown. */
export function describeFailure(error: unknown): Failure {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (error instanceof CommanderError) {
    const message = error.message
      .replace(/^error: /, "")
      .replace(/\s*\n\s*/g, " ")
      .replace(/\.$/, "");
    return {
      code: "ERR_USAGE",
      message: `${message}. Run with --help for what there is.`,
      exitCode: USED_WRONGLY,
      stack,
    };
  }
  if (error instanceof OppoError) {
    const exitCode =
      error instanceof InterruptedError ? INTERRUPTED_EXIT_CODE : error.code === "ERR_USAGE" ? USED_WRONGLY : FAILED;
    return { code: error.code, message: withAdvice(error), exitCode, stack };
  }
  const { code: said, path, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  const code = said === "ENOENT" && syscall === "mkdir" && path !== undefined ? whyNoFolder(path) : said;
  if (isDiskFull(error)) {
    const message =
      path === undefined
        ? `the disk is full, so a file could not be written. ${FREE_SOME}`
        : diskFullError(path, "a file", error).message;
    return { code: "ERR_DISK_FULL", message, exitCode: FAILED, stack };
  }
  const sentence = SYSTEM_SENTENCES[code ?? ""];
  if (code !== undefined && sentence !== undefined) {
    return { code: "ERR_SYSTEM", message: `${path ?? "a system call"}: ${sentence}`, exitCode: FAILED, stack };
  }
  const text = error instanceof Error ? error.message : String(error);
  return {
    code: "ERR_INTERNAL",
    message: `a fault in oppo itself: ${text}. Run the same with --verbose and report what it prints.`,
    exitCode: FAILED,
    stack,
  };
}

/** Whoever met the full disk first may not know that everything here goes on. */
function withAdvice(error: OppoError): string {
  if (error.message.includes("Free some") || !isDiskFull(error)) return error.message;
  return `${error.message} ${FREE_SOME}`;
}

/** The text for standard error, or for standard output when a program asked for JSON. */
export function formatFailure(
  failure: Failure,
  options: { readonly json: boolean; readonly verbose: boolean },
): string {
  const { code, message, stack } = failure;
  if (options.json)
    return `${JSON.stringify(shaped("error", { error: { code, message, ...(options.verbose ? { stack } : {}) } }))}\n`;
  return `oppo: ${message} [${code}]\n${options.verbose ? `${stack}\n` : ""}`;
}
