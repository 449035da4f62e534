// The process of an embedder: opens it once, answers one request after the other, and ends when its parent does.
import { OppoError } from "../../error.ts";
import { openEmbedder } from "../open-embedder.ts";
import type { FromEmbedder, ToEmbedder } from "./embedder-messages.ts";
import type { OpenedEmbedder } from "./opened-embedder.ts";

let opened: Promise<OpenedEmbedder> | null = null;
let last: Promise<unknown> = Promise.resolve();

process.on("disconnect", () => process.exit(0));
// Ctrl-C on a terminal reaches every process; the parent decides when this one ends.
process.on("SIGINT", () => undefined);
process.on("message", (message: ToEmbedder) => {
  last = last.then(() => answer(message));
});

async function answer(message: ToEmbedder): Promise<void> {
  try {
    if (message.kind === "open") {
      opened = openEmbedder(message.choice, message.access);
      const { embedder, isSlow, textsPerTurn, notes } = await opened;
      const { name, dimension, isAsymmetric = false } = embedder;
      send({ kind: "opened", name, dimension, isAsymmetric, isSlow, textsPerTurn, notes });
      return;
    }
    const { embedder } = await opened!;
    const vectors = await embedder.embed(message.texts, message.role);
    send({ kind: "vectors", id: message.id, vectors });
  } catch (error) {
    const id = message.kind === "open" ? null : message.id;
    const isOurs = error instanceof OppoError;
    send({ kind: "error", id, code: isOurs ? error.code : "ERR_EMBEDDER_PROCESS", message: (error as Error).message });
  }
}

function send(message: FromEmbedder): void {
  process.send!(message);
}
