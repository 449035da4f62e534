// Changes of weights between the server and its engine's process: who waits for which, and what a new process has to be told
// so that it answers with the weights that the last one had.
import { HttpError } from "../../http/http-error.ts";
import type { Change, FromEngine, ToEngine } from "../protocol.ts";

type Changed = Extract<FromEngine, { kind: "changed" }>;

interface Waiting {
  readonly change: Change;
  /** null: nobody waits, it is told again to a new process. */
  readonly settle: ((problem: Changed["problem"]) => void) | null;
}

const retrySeconds = 2;

export class Changes {
  readonly #send: (message: ToEngine) => void;
  readonly #waiting = new Map<number, Waiting>();
  /** What stands: the model's under "", adapters under their names, in their order. */
  readonly #standing = new Map<string, Change>();
  #numAsked = 0;

  constructor(send: (message: ToEngine) => void) {
    this.#send = send;
  }

  /** @throws HttpError with what the process says against it (400), ERR_ENGINE_GONE (503) */
  ask(change: Change): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle: Waiting["settle"] = (problem) => {
        if (problem === null) resolve();
        else if (problem.code === "ERR_ENGINE_GONE") {
          reject(new HttpError(503, problem.code, problem.message, { retryAfterSeconds: retrySeconds }));
        } else reject(new HttpError(400, problem.code, problem.message));
      };
      this.#tell({ change, settle });
    });
  }

  /** A new process gets what the last one had. */
  askAgain(): void {
    for (const change of this.#standing.values()) this.#tell({ change, settle: null });
  }

  /** @returns false: the model's weights of before cannot be had again; an adapter's are forgotten, and its clients told so */
  answered({ id, problem }: Changed): boolean {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return true;
    this.#waiting.delete(id);
    const { change, settle } = waiting;
    if (settle === null) {
      if (problem !== null && change.kind !== "replace") this.#standing.delete(change.name);
      return problem === null || change.kind !== "replace";
    }
    if (problem === null) {
      const name = change.kind === "replace" ? "" : change.name;
      // The end of the map is what was loaded last.
      if (change.kind !== "replace") this.#standing.delete(name);
      if (change.kind !== "unload") this.#standing.set(name, change);
    }
    settle(problem);
    return true;
  }

  /** The process is gone with what it was told. */
  lost(): void {
    const message = "engine: expected it to take the weights, got its end. Try again.";
    for (const { settle } of this.#waiting.values()) settle?.({ code: "ERR_ENGINE_GONE", message });
    this.#waiting.clear();
  }

  #tell(waiting: Waiting): void {
    const id = ++this.#numAsked;
    this.#waiting.set(id, waiting);
    this.#send({ kind: "change", id, change: waiting.change });
  }
}
