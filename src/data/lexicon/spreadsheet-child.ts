// A process of its own in which a library reads one spreadsheet: whatever a file makes it do (no end, all of the memory, a
// crash) ends here and not in the command. Writes the first sheet's rows to standard output, as JSON.
import { readFileSync } from "node:fs";
import { readSheet } from "read-excel-file/universal";

const bytes = readFileSync(process.argv[2]!);
try {
  const rows = await readSheet(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  process.stdout.write(JSON.stringify({ rows }));
} catch (error) {
  process.stdout.write(JSON.stringify({ problem: error instanceof Error ? error.message : String(error) }));
}
