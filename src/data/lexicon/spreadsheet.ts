// Spreadsheets (.xlsx) as rows of text. Sizes are checked before the library sees the file, and it sees it in a process of
// its own, whose memory and time are bounded: one cell at a far column is enough to fill any memory.
import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { DatasetError } from "../jsonl.ts";
import { readZip } from "../numpy/zip.ts";

const bounds = { maxMembers: 200, maxBytes: 2 ** 26 };
const maxHeapMiB = 512;
const maxSeconds = 30;
const child = fileURLToPath(new URL(`./spreadsheet-child${extname(import.meta.url)}`, import.meta.url));

const messageSchema = z.union([
  z.object({ rows: z.array(z.array(z.union([z.string(), z.number(), z.boolean(), z.null()]))) }),
  z.object({ problem: z.string() }),
]);

/** Rows of the first sheet; empty cells are "". @throws DatasetError ERR_LEXICON_TABLE, ERR_NPZ_TOO_LARGE */
export async function readSpreadsheet(file: string): Promise<string[][]> {
  readZip(readFileSync(file), file, bounds);
  const output = await readInChild(file);
  if ("rows" in output) return output.rows.map((row) => row.map((cell) => (cell === null ? "" : String(cell))));
  throw new DatasetError(
    "ERR_LEXICON_TABLE",
    `${file}: expected a spreadsheet, got ${output.problem}. Check out the lexicon's repository again.`,
    { file },
  );
}

function readInChild(file: string): Promise<z.infer<typeof messageSchema>> {
  const reader = fork(child, [file], {
    execArgv: [`--max-old-space-size=${maxHeapMiB}`],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    timeout: 1000 * maxSeconds,
    killSignal: "SIGKILL",
  });
  return new Promise((resolve, reject) => {
    let message: unknown;
    reader.on("message", (sent) => {
      message = sent;
    });
    reader.on("error", reject);
    reader.on("close", () => {
      const checked = messageSchema.safeParse(message);
      const unfinished = { problem: `one that cannot be read within ${maxHeapMiB} MiB and ${maxSeconds} s` };
      resolve(checked.success ? checked.data : unfinished);
    });
  });
}
