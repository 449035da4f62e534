// A process of its own in which a library reads one spreadsheet: whatever a file makes it do (no end, all of the memory, a
// crash) ends here and not in the command. Sends the first sheet's rows to its parent, or what is wrong with the file.
import { readFileSync } from "node:fs";
import { readSheet } from "read-excel-file/universal";

const bytes = readFileSync(process.argv[2]!);
const send = (message: object) => process.send!(message, () => process.disconnect());
try {
  const rows = await readSheet(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  send({ rows });
} catch (error) {
  send({ problem: error instanceof Error ? error.message : String(error) });
}
