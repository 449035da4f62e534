// What becomes of the jobs that a process had when it ended. While it prepared, one job alone was at work; while it decoded,
// all that had begun are suspects. A suspect runs again, alone; the second end is its own doing, and it is refused.
import { HttpError } from "../http/http-error.ts";

export interface Suspect {
  /** Its prompt was ready. */
  hasBegun: boolean;
  /** Some of its answer was shown: it cannot run again. */
  hasTold: boolean;
  /** Ends of a process that it was a suspect of. */
  numEnds: number;
}

export interface Losses<T> {
  /** In their order. */
  readonly again: readonly T[];
  readonly refused: readonly { readonly entry: T; readonly error: HttpError }[];
}

const maxEnds = 2;

/** @param lost in the order in which they are prepared */
export function sortLosses<T extends Suspect>(
  lost: readonly T[],
  isLate: boolean,
  maxSeconds: number,
  reason: string,
): Losses<T> {
  const preparing = lost.find(({ hasBegun }) => !hasBegun);
  const suspects = preparing === undefined ? lost : [preparing];
  const again: T[] = [];
  const refused: { entry: T; error: HttpError }[] = [];
  for (const entry of lost) {
    const isSuspect = suspects.includes(entry);
    if (isSuspect) entry.numEnds++;
    // Alone at its deadline: there is nobody else that it could have been.
    const isGuilty = isSuspect && (entry.numEnds >= maxEnds || (isLate && suspects.length === 1));
    if (isGuilty && isLate) refused.push({ entry, error: deadlineError(maxSeconds) });
    else if (isGuilty || entry.hasTold) refused.push({ entry, error: goneError(reason, isGuilty) });
    else again.push(Object.assign(entry, { hasBegun: false }));
  }
  return { again, refused };
}

export function deadlineError(maxSeconds: number): HttpError {
  return new HttpError(
    503,
    "ERR_ENGINE_DEADLINE",
    `request: expected an answer within ${maxSeconds} s of work, got none. Send less or ask for fewer tokens, or start the server with a larger --max-job-seconds.`,
  );
}

function goneError(reason: string, isGuilty: boolean): HttpError {
  const advice = isGuilty ? "It happened twice with this request alone; do not send it again." : "Try again.";
  return new HttpError(500, "ERR_ENGINE_GONE", `engine: expected an answer, but ${reason}. ${advice}`);
}
