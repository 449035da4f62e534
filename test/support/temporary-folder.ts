// A folder of its own for a test.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext } from "node:test";

/** An empty folder that is removed with everything in it when the test ends. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "oppo-test-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** The same for all tests of a file. */
export function sharedFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "oppo-test-"));
  after(() => rmSync(folder, { recursive: true }));
  return folder;
}
