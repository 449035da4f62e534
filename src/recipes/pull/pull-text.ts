// What `oppo pull` prints at its end.
import { formatBytes } from "../../run/disk.ts";
import type { PullResult } from "./pull-model.ts";

export function pullText({ directory, repository, commit, files, numFetched, left, inspection }: PullResult): string {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const fetched = numFetched === 0 ? "all of it was there" : `${formatBytes(numFetched)} fetched`;
  const lines = [
    `${directory}: ${files.length} files, ${formatBytes(bytes)} of ${repository} at ${commit.slice(0, 12)}; ${fetched}`,
  ];
  if (inspection !== null) {
    const { title, numParameters, absentFiles } = inspection;
    lines.push(`${title}, ${numParameters.toLocaleString("en-US")} parameters`);
    if (absentFiles.length > 0) lines.push(`the repository lacks: ${absentFiles.join(", ")}`);
  }
  if (left.length > 0) lines.push(`left on the hub, as oppo does not read them: ${left.join(", ")}`);
  return lines.join("\n");
}
