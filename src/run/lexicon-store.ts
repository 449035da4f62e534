// Where imported lexicons and the replies of judges are kept between runs: one folder per user, OPPO_HOME or ~/.oppo.
import { homedir } from "node:os";
import { join } from "node:path";

export function oppoHome(environment: Readonly<Record<string, string | undefined>>): string {
  const given = environment.OPPO_HOME;
  return given !== undefined && given !== "" ? given : join(homedir(), ".oppo");
}

export function lexiconPath(home: string, name: string): string {
  return join(home, "lexicons", `${name}.json`);
}

export function judgeCacheFolder(home: string): string {
  return join(home, "cache", "polarity");
}
