// `npm run soak`: what a crash, a bad file and a hostile client must not do, tried for as long as wanted. Everything is
// drawn from the seed, bounded in count and time (kills of ranks in count alone), on loopback only, in a temporary folder that is removed.
// Usage: npm run soak -- [--minutes 30] [--seed 0] [--only kills|ranks|fuzz|servers] [--keep FOLDER] [--json]
import { parseArgs } from "node:util";
import { runFuzz } from "./fuzz.ts";
import { runKills } from "./kills.ts";
import { openPlace } from "./place.ts";
import { runRankKills } from "./ranks.ts";
import { runServers } from "./servers.ts";

const full = { kills: 100, rankKills: 20, inputs: 10_000, serverSeconds: 600, connections: 64 };
/** What a full soak takes its time for, of each part's start. */
const parts = ["fuzz", "kills", "ranks", "servers"] as const;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    seed: { type: "string", default: "0" },
    only: { type: "string" },
    keep: { type: "string", default: "build/soak" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
const chosen = parts.filter((part) => values.only === undefined || values.only === part);
if (values.help || !(minutes > 0) || !Number.isInteger(seed) || chosen.length === 0) {
  console.log("npm run soak -- [--minutes 30] [--seed 0] [--only kills|ranks|fuzz|servers] [--keep FOLDER] [--json]");
  process.exit(values.help ? 0 : 2);
}
const log = (line: string): void => void process.stderr.write(`${line}\n`);
const end = performance.now() + minutes * 60_000;
const isDue = (left: number): number => performance.now() + (end - performance.now()) / left;

const results: Record<string, unknown> = { minutes, seed, date: new Date().toISOString(), node: process.version };
let numFailures = 0;
{
  await using place = await openPlace();
  for (const [index, part] of chosen.entries()) {
    const until = isDue(chosen.length - index);
    if (part === "kills") {
      const kills = await runKills(place, { seed, kills: full.kills, until, log });
      results.kills = kills;
      numFailures += kills.reduce((sum, { failures }) => sum + failures.length, 0);
    } else if (part === "ranks") {
      const ranks = await runRankKills(place, { seed, kills: full.rankKills, log });
      results.ranks = ranks;
      numFailures += ranks.failures.length;
    } else if (part === "fuzz") {
      const fuzz = await runFuzz({ seed, inputs: full.inputs, until, keep: values.keep, log });
      results.fuzz = fuzz;
      numFailures += fuzz.reduce((sum, { failures }) => sum + failures.length, 0);
    } else {
      const seconds = Math.min(full.serverSeconds, (until - performance.now()) / 1000);
      const servers = await runServers(place, { seed, seconds, connections: full.connections, log });
      results.servers = servers;
      numFailures += servers.reduce((sum, { failures }) => sum + failures.length, 0);
    }
  }
}
if (values.json) console.log(JSON.stringify(results, null, 2));
else console.log(`${numFailures === 0 ? "held" : `${numFailures} failures`}\n${JSON.stringify(results, null, 1)}`);
process.exit(numFailures === 0 ? 0 : 1);
