// An embedder in a process of its own: the same vectors, while this process's thread goes on. Requests may be sent ahead of the time
// when their vectors are wanted.
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { OppoError } from "../../error.ts";
import type { Embedder } from "../../evidence/cue.ts";
import type { FromEmbedder, OpenedFacts, ToEmbedder } from "./embedder-messages.ts";
import type { EmbedderAccess, OpenedEmbedder } from "./opened-embedder.ts";

interface Waiting {
  resolve(vectors: Float32Array): void;
  reject(error: Error): void;
}

/** @throws OppoError ERR_EMBEDDER_PROCESS, and those of opening it */
export async function openEmbedderProcess(choice: string, access: EmbedderAccess): Promise<OpenedEmbedder> {
  const { client: _, isApart: __, ...plain } = access;
  const child = fork(fileURLToPath(new URL("./embedder-child.js", import.meta.url)), [], { serialization: "advanced" });
  const waiting = new Map<number, Waiting>();
  try {
    const facts = await firstAnswer(child, { kind: "open", choice, access: plain });
    listen(child, waiting);
    // An idle embedder keeps nobody running.
    holdOpen(child, false);
    const { isSlow, textsPerTurn, notes } = facts;
    return {
      ...{ embedder: remote(child, facts, waiting), isSlow, textsPerTurn },
      notes: [...notes, `embedder: in a process of its own (${child.pid})`],
      [Symbol.dispose]: () => void child.kill("SIGKILL"),
    };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

/** Whether this program goes on for as long as the process does. */
function holdOpen(child: ChildProcess, isHeld: boolean): void {
  if (isHeld) {
    child.ref();
    child.channel?.ref();
  } else {
    child.unref();
    child.channel?.unref();
  }
}

function remote(child: ChildProcess, { name, dimension, isAsymmetric }: OpenedFacts, waiting: Map<number, Waiting>) {
  let next = 0;
  const embedder: Embedder = {
    ...{ name, dimension, isAsymmetric, isApart: true },
    embed: (texts, role = "cue") =>
      new Promise<Float32Array>((resolve, reject) => {
        if (!child.connected) return reject(gone("is gone"));
        const id = next++;
        // Somebody waits: the program must not end before the answer.
        holdOpen(child, true);
        const done = () => {
          waiting.delete(id);
          if (waiting.size === 0) holdOpen(child, false);
        };
        waiting.set(id, {
          resolve: (vectors) => {
            done();
            resolve(vectors);
          },
          reject: (error) => {
            done();
            reject(error);
          },
        });
        const request: ToEmbedder = { kind: "embed", id, texts, role };
        child.send(request, (error) => error && waiting.get(id)?.reject(gone(error.message)));
      }),
  };
  return embedder;
}

function firstAnswer(child: ChildProcess, request: ToEmbedder): Promise<OpenedFacts> {
  return new Promise((resolve, reject) => {
    const end = (code: number | null, signal: string | null) => reject(gone(`ended with ${signal ?? `code ${code}`}`));
    child.once("exit", end);
    child.once("message", (message: FromEmbedder) => {
      child.off("exit", end);
      if (message.kind === "opened") resolve(message);
      else reject(message.kind === "error" ? new OppoError(message.code, message.message) : gone("spoke out of turn"));
    });
    child.send(request, (error) => error && reject(gone(error.message)));
  });
}

function listen(child: ChildProcess, waiting: ReadonlyMap<number, Waiting>): void {
  child.on("message", (message: FromEmbedder) => {
    if (message.kind === "vectors") waiting.get(message.id)?.resolve(message.vectors);
    else if (message.kind === "error" && message.id !== null) {
      waiting.get(message.id)?.reject(new OppoError(message.code, message.message));
    }
  });
  child.on("exit", (code, signal) => {
    for (const { reject } of [...waiting.values()]) reject(gone(`ended with ${signal ?? `code ${code}`}`));
  });
}

function gone(what: string): OppoError {
  return new OppoError(
    "ERR_EMBEDDER_PROCESS",
    `embedder: expected vectors from its process, which ${what}, probably for want of memory. Run the same command again, or without --embedder-process.`,
  );
}
