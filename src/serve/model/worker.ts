// The engine's process: loads the model and decodes the batches that the server sends, one after another. It is a process
// of its own so that the server's connections stay live, and so that media that bring FFmpeg down bring nothing else down.
import { openSync, readSync } from "node:fs";
import { OppoError } from "../../error.ts";
import type { OmniModel } from "../../models/omni-model.ts";
import { loadModel, readArchitecture } from "../../models/registry/registry.ts";
import { MediaRows } from "./media-rows.ts";
import type { FromEngine, StartMessage, ToEngine } from "./protocol.ts";
import { runBatch } from "./worker-batch.ts";

/** So often a running batch looks whether its jobs are still wanted. */
const lookMilliseconds = 10;

// The server decides when to end; a terminal's Ctrl-C reaches this process too.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);
process.on("disconnect", () => process.exit(0));

let running: Promise<void> = Promise.resolve();
let engine: {
  readonly model: OmniModel;
  readonly media: MediaRows;
  readonly maxContext: number;
  readonly maxBatchTokens: number;
  readonly isCancelled: (slot: number) => boolean;
} | null = null;

process.on("message", (message: ToEngine) => {
  running = running
    .then(() => take(message))
    .catch((error: unknown) => {
      process.emitWarning(error instanceof Error ? error : String(error));
      process.exit(1);
    });
});

async function take(message: ToEngine): Promise<void> {
  if (message.kind === "start") await start(message);
  else if (engine !== null) {
    await runBatch(message.jobs, { ...engine, send });
    send({ kind: "idle" });
  }
}

async function start(message: StartMessage): Promise<void> {
  try {
    const model = await loadModel(message.directory, {
      ...(message.device === null ? {} : { device: message.device }),
      ...(message.dtype === null ? {} : { dtype: message.dtype }),
    });
    const { maxContext, maxBatchTokens, mediaCacheBytes } = message;
    const media = new MediaRows(model, mediaCacheBytes);
    engine = { model, media, maxContext, maxBatchTokens, isCancelled: cancelBoard(message.cancelFile) };
    const { title } = await readArchitecture(message.directory);
    const parameters = [...model.parameters().values()];
    send({
      kind: "ready",
      facts: {
        architecture: title,
        dtype: parameters[0]?.dtype ?? "none",
        numParameters: parameters.reduce((sum, { shape }) => sum + shape.reduce((size, side) => size * side, 1), 0),
        maxContext,
      },
    });
  } catch (error) {
    if (!(error instanceof OppoError)) throw error;
    send({ kind: "unloadable", code: error.code, message: error.message });
  }
}

/** Messages do not arrive while a batch runs, so the server leaves its word in a file of one byte per slot. */
function cancelBoard(file: string): (slot: number) => boolean {
  const handle = openSync(file, "r");
  const board = Buffer.alloc(256);
  let lookedAt = Number.NEGATIVE_INFINITY;
  return (slot) => {
    const time = performance.now();
    if (time - lookedAt >= lookMilliseconds) {
      readSync(handle, board, 0, board.length, 0);
      lookedAt = time;
    }
    return board[slot] !== 0;
  };
}

function send(message: FromEngine): void {
  if (process.connected) process.send?.(message);
}
