// A program that trains as one of several processes: it joins them, takes a device of its own, and leaves to rank 0 what is written
// and said once. Alone it does what it always did.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { OppoError } from "../../error.ts";
import { ownShard } from "../../nn/index.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import type { Progress } from "../../run/progress.ts";
import { followRunDirectory, openRunDirectory, type RunDirectory, type RunFacts } from "../../run/run-directory.ts";
import { readVersions } from "../../run/versions.ts";
import type { Place } from "../../run/world/address.ts";
import {
  alone,
  byteSize,
  knownDevices,
  noGrad,
  openWorld,
  scope,
  torchVersion,
  type World,
} from "../../tensor/index.ts";
import type { OpenedPolicy, PolicyOptions } from "../policy.ts";
import { onFirst } from "./together.ts";

/** How long whoever serves the store stays at most, until the others have left: to be asked why it failed, or where one is gone. */
const farewellSeconds = { failed: 10, lost: 2 };

/** A program's run as one of its processes has it. */
export type RankRun<Run> = Run & {
  readonly world: World;
  /** Its own. */
  readonly device: string;
};

interface Startable {
  /** Among the processes that train together; null or left out: there is one. */
  readonly place?: Place | null;
  readonly config: { readonly device: string };
  readonly progress: Progress;
}

/** Runs a program as the process that it is: with a device of its own, and with what is said once said by rank 0. */
export function asRank<Run extends Startable, T>(run: Run, body: (run: RankRun<Run>) => Promise<T>): Promise<T> {
  const { place = null, config, progress } = run;
  return inWorld(place, config.device, (world, device) =>
    body({ ...run, world, device, progress: progressOf(world, progress) }),
  );
}

/**
 * Runs `body` as one of the processes; null: there is one. What it throws is told to the others.
 * @param device as it was asked for; `body` gets this rank's
 */
async function inWorld<T>(
  place: Place | null,
  device: string,
  body: (world: World, device: string) => Promise<T>,
): Promise<T> {
  if (place === null) return await body(alone, device);
  const own = deviceOf(place, device, device.startsWith("cuda") ? knownDevices() : []);
  using world = openWorld(place, own);
  try {
    const result = await body(world, own);
    // What it gave last is still to be read by the others.
    await world.leave(place.startSeconds);
    return result;
  } catch (error) {
    const { code = "fault", message } = error as Partial<OppoError>;
    const isLost = code === "ERR_RANK_LOST" || code === "ERR_RANK_LATE";
    if (code !== "ERR_RANK_LOST") world.fail(`${message} [${code}]`);
    await world.leave(isLost ? farewellSeconds.lost : farewellSeconds.failed);
    throw error;
  }
}

/** "cuda" is each rank's own GPU: the one of its number here, or the only one that it is shown. */
export function deviceOf({ localRank }: Pick<Place, "localRank">, device: string, known: readonly string[]): string {
  if (device === "cpu") return device;
  const gpus = known.filter((name) => name.startsWith("cuda"));
  if (device !== "cuda") {
    if (localRank === 0 || !device.startsWith("cuda")) return device;
    throw new OppoError(
      "ERR_DEVICE",
      `device ${device}: expected a device for each process, got one for all. Give --device cuda: every process takes its own.`,
    );
  }
  const own = gpus.length === 1 ? gpus[0] : gpus[localRank];
  if (own !== undefined) return own;
  throw new OppoError(
    "ERR_DEVICE",
    `device cuda: expected a GPU for process ${localRank} of this machine, got ${gpus.length} GPUs. Start as many processes as there are.`,
  );
}

/** What a run says is said once. */
function progressOf(world: World, progress: Progress): Progress {
  if (world.rank === 0) return progress;
  const silent = { update() {}, advance() {}, finish() {} };
  return { log() {}, stage: () => silent, [Symbol.dispose]() {} };
}

/**
 * For whoever reads clips in the middle of a step: of several processes none may stop where the others do not. Between steps, and
 * while a corpus is read before the first, safe points still stop it.
 */
export function readingInterrupt(world: World, interrupt: Interrupt): Interrupt {
  return world.size === 1 ? interrupt : { ...interrupt, signal: new AbortController().signal };
}

/** Rank 0 locks the folder and writes into it; the others read what it has. @throws those of openRunDirectory */
export async function openSharedRun(world: World, path: string, facts: () => RunFacts): Promise<RunDirectory> {
  let opened: RunDirectory | null = null;
  const isResumed = await onFirst(world, "opening of the run", () => {
    opened = openRunDirectory(path, facts());
    return opened.isResumed;
  });
  return opened ?? followRunDirectory(path, isResumed);
}

/** Settings by name, for `requireSame`; where a process runs may differ. */
export function settingFacts(config: Readonly<Record<string, unknown>>): Record<string, string> {
  const longest = 60;
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => {
      const text = JSON.stringify(value) ?? "nothing";
      return [`setting ${name}`, text.length > longest ? sha256(text) : text];
    }),
  );
}

/** Of a file's content. */
export async function fileFact(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex").slice(0, 16);
}

/** Of the program and its libtorch. */
export function versionFact(): string {
  const { oppo, gitCommit, libtorch } = readVersions(torchVersion());
  return `oppo ${oppo} ${gitCommit?.slice(0, 12) ?? ""} on libtorch ${libtorch}`;
}

/** For `openPolicy`: which masters are this rank's. */
export function shardOf(
  world: World,
  { shardOptimizer }: { readonly shardOptimizer: boolean },
): Pick<PolicyOptions, "shardOf"> {
  return shardOptimizer && world.size > 1 ? { shardOf: (trainable) => ownShard(trainable, world) } : {};
}

/** For the log of a run. */
export function worldNotes({ size }: World): string[] {
  return size === 1 ? [] : [`${size} processes make the steps of one`];
}

/** Of the bits of what learns, whatever order they are added in. */
export function weightsFact({ trainable }: Pick<OpenedPolicy, "trainable">): string {
  const types = { 1: "uint8", 2: "int16", 4: "int32", 8: "int64" } as const;
  return sha256(
    [...trainable]
      .map(([name, parameter]) =>
        scope(() =>
          noGrad(() => {
            const bits = parameter
              .detach()
              .contiguous()
              .view(types[byteSize(parameter.dtype) as 1 | 2 | 4 | 8]);
            return `${name} ${parameter.shape.join("x")} ${bits.sum({ dtype: "int64" }).item()}`;
          }),
        ),
      )
      .join("\n"),
  );
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
