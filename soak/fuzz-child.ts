// Reads changed files of one format, one after the other, in a process that may hang, crash or be stopped for its memory.
// Where it is stands in a file, written before every input; faults go to the parent as messages.
import { copyFileSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type Format, formats, isRefusal, writeInput } from "./formats.ts";
import { inputOf } from "./inputs.ts";

export interface FuzzTask {
  readonly format: string;
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  readonly folder: string;
}

const task = JSON.parse(process.argv[2]!) as FuzzTask;
const format = formats[task.format] as Format;
const place = openSync(join(task.folder, "..", "at"), "w");
let unsettled = true;
process.on("exit", () => {
  // A promise that never settles would end the process as if all were well.
  if (unsettled && process.exitCode === undefined) process.exitCode = 13;
});
const seeds = await format.seeds(task.folder);
format.prepare?.(task.folder);
// Whatever is refused below is refused for the change: unchanged, each is read.
for (const seed of seeds) await format.read(writeInput(task.folder, format, seed));
let read = 0;
for (let index = task.from; index < task.to; index++) {
  writeSync(place, `${index} ${read}`.padEnd(24), 0);
  const path = writeInput(task.folder, format, inputOf(format, seeds, task, index));
  try {
    await format.read(path);
    read++;
  } catch (error) {
    if (isRefusal(error)) continue;
    copyFileSync(path, join(task.folder, "..", `kept-${index}`));
    process.send?.({ index, problem: String((error as Error)?.stack ?? error).slice(0, 600) });
  }
}
unsettled = false;
writeSync(place, `${task.to} ${read}`.padEnd(24), 0);
process.disconnect();
