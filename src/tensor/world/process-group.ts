// A world of several processes on libtorch's c10d: a store that all reach, Gloo between them, NCCL for tensors on a GPU where it was
// compiled in; without it they go through the host. Before every collective a rank writes into the store where it is, so that
// whoever waits in vain can say for whom.
import { deserialize, serialize } from "node:v8";
import { OppoError } from "../../error.ts";
import { tensor } from "../create.ts";
import { native } from "../native.ts";
import * as op from "../ops.gen.ts";
import { scope, type Tensor } from "../tensor.ts";
import type { World } from "./world.ts";

export interface WorldAddress {
  readonly rank: number;
  readonly size: number;
  /** Where the store is. */
  readonly host: string;
  readonly port: number;
  /** This process serves the store; left to others, it is rank 0's or the launcher's. */
  readonly servesStore: boolean;
  /** Python's torch serves it. That of 2.x refuses clients of 1.x: then rank 0 serves one beside it, at the next port. */
  readonly isPythons?: boolean;
  /** Before every key: a job that is started again must not read what the last one left. */
  readonly prefix: string;
  /** This machine's address for the others: a name, "@interface", or empty for what its own name says. */
  readonly address: string;
  /** How long a collective waits for the last rank. */
  readonly collectiveSeconds: number;
  /** How long the start waits for the last rank. */
  readonly startSeconds: number;
}

/** @param device of this rank's model @throws OppoError ERR_WORLD_BUILD, ERR_WORLD_PORT, ERR_WORLD_START, ERR_WORLD_RANKS */
export function openWorld(given: WorldAddress, device = "cpu"): World {
  const address = withOwnStore(given);
  const { rank, size, prefix, startSeconds } = address;
  if (!native.canGroup()) {
    throw new OppoError(
      "ERR_WORLD_BUILD",
      `world: expected an addon with collectives for ${size} processes, got one that was built without Gloo's headers. Install them (Debian: sudo apt-get install -y libgloo-dev) and run: node scripts/build-native.mjs --force`,
    );
  }
  openStore(address);
  introduce(address);
  try {
    native.openGroup(rank, size, address.address, address.collectiveSeconds * 1000);
  } catch (cause) {
    throw new OppoError(
      "ERR_WORLD_START",
      `rank ${rank}: expected connections to ${size - 1} other ranks, got "${firstLine(cause)}". Machines must reach each other; GLOO_SOCKET_IFNAME names the network interface (${prefix}).`,
      { cause },
    );
  }
  if (device.startsWith("cuda")) openNccl(address, device, startSeconds);
  return new ProcessGroup(address);
}

function withOwnStore(address: WorldAddress): WorldAddress {
  if (address.isPythons !== true || !native.version().startsWith("1.")) return address;
  return { ...address, port: address.port + 1, servesStore: address.rank === 0 };
}

/** A store for processes that are started by this one. @returns its port */
export function serveStore(host: string, prefix: string): number {
  return native.openStore(host, 0, true, 10_000, prefix);
}

function openStore({ rank, host, port, servesStore, prefix, startSeconds }: WorldAddress): void {
  try {
    native.openStore(host, port, servesStore, startSeconds * 1000, prefix);
  } catch (cause) {
    if (servesStore) {
      throw new OppoError(
        "ERR_WORLD_PORT",
        `rank ${rank}: expected port ${port} of ${host} to be free, got "${firstLine(cause)}". Choose another one (MASTER_PORT), or end what uses it.`,
        { cause },
      );
    }
    throw new OppoError(
      "ERR_WORLD_START",
      `rank ${rank}: expected the store of rank 0 at ${host}:${port} within ${startSeconds} s, got "${firstLine(cause)}". Check MASTER_ADDR and MASTER_PORT, and what rank 0 says.`,
      { cause },
    );
  }
}

/** Waits for all ranks. */
function introduce({ rank, size, host, port, startSeconds }: WorldAddress): void {
  const refused = (got: string, advice: string) =>
    new OppoError(
      "ERR_WORLD_RANKS",
      `rank ${rank}: expected ${size} processes of different ranks at ${host}:${port}, got ${got}. ${advice}`,
    );
  if (native.storeAdd(`claim/${rank}`, 1) !== 1) {
    throw refused(`another one of rank ${rank}`, "Give every process its own RANK, and every job its own MASTER_PORT.");
  }
  native.storeSet(`hello/${rank}`, String(size));
  // Whoever is waited for in vain took the whole time; of the others it is only asked whether they are there.
  const missing: number[] = [];
  for (let other = 0; other < size; other++) {
    const told = native.storeGet(`hello/${other}`, missing.length > 0 ? 0 : startSeconds * 1000);
    if (told === undefined) missing.push(other);
    else if (told !== String(size))
      throw refused(`rank ${other}, which knows of ${told}`, "WORLD_SIZE must be the same everywhere.");
  }
  if (missing.length > 0) {
    throw new OppoError(
      "ERR_WORLD_START",
      `rank ${rank}: expected ${size} ranks within ${startSeconds} s, got none of ${ranks(missing)}. See what they say, and whether they were started.`,
    );
  }
}

/** A communicator for GPUs; without NCCL their tensors go through the host. Never run with more than one GPU. */
function openNccl({ rank, size }: WorldAddress, device: string, startSeconds: number): void {
  const id = rank === 0 ? (native.ncclId() ?? "") : undefined;
  if (id !== undefined) native.storeSet("nccl", id);
  const shared = id ?? native.storeGet("nccl", startSeconds * 1000) ?? "";
  if (shared !== "") native.openNccl(rank, size, shared, device);
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0]!.trim();
}

/** Example: "ranks 1 and 3" */
function ranks(numbers: readonly number[]): string {
  if (numbers.length === 1) return `rank ${numbers[0]}`;
  return `ranks ${numbers.slice(0, -1).join(", ")} and ${numbers.at(-1)}`;
}

/** Gloo knows no bfloat16 and no int16, and copies need not know what they copy. */
function bitsOf(values: Tensor): Tensor {
  return values.device === "cpu" && values.dtype === "bfloat16" ? values.view("uint8") : values;
}

/** What Gloo, NCCL and the store say when another process is gone or late. */
const isOfConnection = /connect|closed|reset|peer|pipe|socket|time(d )?-?out|recv|send|nccl|gloo/i;

const shortestWait = 1;
const longestWait = 50;
/** Milliseconds between two beats: at most, and for every second of the limit. */
const longestBeat = 10_000;
const beatPerSecond = 250;
const isOfRanks: ReadonlySet<string> = new Set(["ERR_RANK_LOST", "ERR_RANK_LATE"]);
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

class ProcessGroup implements World {
  readonly rank: number;
  readonly size: number;
  readonly #address: WorldAddress;
  readonly #hasNccl = native.ncclId() !== undefined;
  #count = 0;

  constructor(address: WorldAddress) {
    this.#address = address;
    this.rank = address.rank;
    this.size = address.size;
  }

  sum(what: string, values: readonly number[]): number[] {
    return this.#reduced(what, values, "sum");
  }

  max(what: string, values: readonly number[]): number[] {
    return this.#reduced(what, values, "max");
  }

  allReduce(what: string, values: Tensor): void {
    scope(() => this.#onHost([values], ([sent]) => this.#together(what, () => native.allReduce(sent!.h, "sum"))));
  }

  reduceScatter(what: string, part: Tensor, whole: Tensor): void {
    scope(() =>
      this.#onHost([part, whole], ([own, all]) => this.#together(what, () => native.reduceScatter(own!.h, all!.h))),
    );
  }

  allGather(what: string, whole: Tensor, part: Tensor): void {
    scope(() =>
      this.#onHost([whole, part], ([all, own]) =>
        this.#together(what, () => native.allGather(bitsOf(all!).h, bitsOf(own!).h)),
      ),
    );
  }

  gather<T>(what: string, value: T): T[] {
    const bytes = serialize(value);
    return scope(() => {
      const lengths = tensor(new Float64Array(this.size));
      this.#together(what, () => native.allGather(lengths.h, tensor(Float64Array.of(bytes.length)).h));
      const sizes = lengths.toNumbers();
      const longest = Math.max(...sizes);
      const padded = new Uint8Array(longest);
      padded.set(bytes);
      const all = op.zeros([longest * this.size], { dtype: "uint8" });
      this.#together(what, () => native.allGather(all.h, tensor(padded).h));
      const received = Buffer.from(all.toUint8Array().buffer);
      return sizes.map((size, r) => deserialize(received.subarray(r * longest, r * longest + size)) as T);
    });
  }

  async first<T>(
    what: string,
    body: () => T | Promise<T>,
    isShared: (error: unknown) => boolean = () => false,
  ): Promise<T> {
    const key = `first/${++this.#count}`;
    try {
      this.#arrive(what);
    } catch (error) {
      throw this.#lost(what, error);
    }
    if (this.rank !== 0) return await this.#told<T>(what, key);
    using _ = this.#beating();
    const tell = (given: Told<T>) => native.storeSet(key, serialize(given).toString("base64"));
    try {
      const value = await body();
      tell({ value });
      return value;
    } catch (error) {
      if (isShared(error) && error instanceof OppoError) tell({ code: error.code, message: error.message });
      throw error;
    }
  }

  fail(reason: string): void {
    try {
      native.storeSet("failed", `rank ${this.rank}: ${reason}`);
    } catch {
      // Whoever served the store is gone: nobody is left to be told.
    }
  }

  async leave(seconds: number): Promise<void> {
    try {
      native.storeSet(`left/${this.rank}`, "1");
    } catch {
      // Whoever served the store did not wait: nothing is left to wait for.
      return;
    }
    if (!this.#address.servesStore) return;
    let waited = 0;
    for (let rank = 0; rank < this.size && waited < seconds * 1000; ) {
      if (native.storeGet(`left/${rank}`, 0) !== undefined) rank++;
      else {
        await pause(longestWait);
        waited += longestWait;
      }
    }
  }

  [Symbol.dispose](): void {
    native.closeGroup();
  }

  #reduced(what: string, values: readonly number[], how: "sum" | "max"): number[] {
    return scope(() => {
      const all = tensor(Float64Array.from(values));
      this.#together(what, () => native.allReduce(all.h, how));
      return all.toNumbers();
    });
  }

  /** Tensors as the collective wants them; what it wrote into copies goes back into the first. */
  #onHost(tensors: readonly Tensor[], body: (sent: readonly Tensor[]) => void): void {
    const [first] = tensors;
    const isNear = first!.device === "cpu" || (this.#hasNccl && first!.device.startsWith("cuda"));
    const sent = isNear ? tensors : tensors.map((one) => one.to({ device: "cpu" }));
    body(sent);
    if (!isNear) first!.copy_(sent[0]!);
  }

  /** Says that this rank still works, whenever it gets to it: others wait for it as long as it does. */
  #beating(): Disposable {
    let count = 0;
    const timer = setInterval(
      () => {
        try {
          native.storeSet("beat", `${this.#count} ${count++}`);
        } catch {
          // Whoever served the store is gone: the next collective says so.
        }
      },
      Math.min(longestBeat, this.#address.collectiveSeconds * beatPerSecond),
    );
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  #arrive(what: string): void {
    native.storeSet(`at/${this.rank}`, `${this.#count} ${what}`);
  }

  #together(what: string, body: () => void): void {
    this.#count++;
    try {
      this.#arrive(what);
      body();
    } catch (error) {
      throw this.#lost(what, error);
    }
  }

  async #told<T>(what: string, key: string): Promise<T> {
    let [beat, silent] = ["", 0];
    for (let wait = shortestWait; ; wait = Math.min(longestWait, wait * 2)) {
      let text: string | undefined;
      try {
        text = native.storeGet(key, 0);
        if (text === undefined && native.storeGet("failed", 0) !== undefined) {
          // It may have been told just before.
          text = native.storeGet(key, 0);
          if (text === undefined) throw this.#lost(what, null);
        }
        const heard = native.storeGet("beat", 0) ?? "";
        if (heard !== beat) [beat, silent] = [heard, 0];
        if (text === undefined && silent > this.#address.collectiveSeconds * 1000) {
          throw this.#late(what, "rank 0", ` (at work on "${what}")`, null);
        }
      } catch (error) {
        throw error instanceof OppoError && isOfRanks.has(error.code) ? error : this.#lost(what, error);
      }
      if (text !== undefined) {
        const told = deserialize(Buffer.from(text, "base64")) as Told<T>;
        if ("code" in told) throw new OppoError(told.code, told.message);
        return told.value;
      }
      await pause(wait);
      silent += wait;
    }
  }

  /** What a failed collective means: who is missing, and why as far as anybody said; a fault of ours is what it was. */
  #lost(what: string, error: unknown): unknown {
    if (error !== null && !isOfConnection.test(firstLine(error))) return error;
    const cause = { cause: error };
    const here = `rank ${this.rank}, in "${what}"`;
    const text = error === null ? "" : firstLine(error);
    try {
      const failed = native.storeGet("failed", 0);
      if (failed !== undefined) {
        return new OppoError(
          "ERR_RANK_LOST",
          `${here}: expected all ${this.size} ranks, got the end of one: ${failed}`,
          cause,
        );
      }
      const { names, places } = this.#missing();
      if (/time(d )?-?out/i.test(text)) {
        return this.#late(what, names, places, error);
      }
      return new OppoError(
        "ERR_RANK_LOST",
        `${here}: expected all ${this.size} ranks, got a broken connection ("${text}"); not there: ${names}${places}. What that rank said last tells why; the same command goes on from the last checkpoint.`,
        cause,
      );
    } catch {
      return new OppoError(
        "ERR_RANK_LOST",
        `${here}: expected all ${this.size} ranks, got a broken connection ("${text}"), and whoever serves the store (rank 0 or the launcher) is gone too. What it said last tells why; the same command goes on from the last checkpoint.`,
        cause,
      );
    }
  }

  #late(what: string, names: string, places: string, cause: unknown): OppoError {
    const seconds = this.#address.collectiveSeconds;
    return new OppoError(
      "ERR_RANK_LATE",
      `rank ${this.rank}, in "${what}": expected all ${this.size} ranks within ${seconds} s, got none of ${names}${places}. See what they do; OPPO_COLLECTIVE_SECONDS is the limit.`,
      { cause },
    );
  }

  /** Ranks that have not come to where this one is, and where each was last. */
  #missing(): { readonly names: string; readonly places: string } {
    const late: { rank: number; at: string }[] = [];
    for (let rank = 0; rank < this.size; rank++) {
      const [count, ...what] = (native.storeGet(`at/${rank}`, 0) ?? "0 the start").split(" ");
      if (rank !== this.rank && Number(count) < this.#count) late.push({ rank, at: what.join(" ") });
    }
    if (late.length === 0) return { names: "one of them", places: "" };
    const places = late.map(({ rank, at }) => `rank ${rank} after "${at}"`).join(", ");
    return { names: ranks(late.map(({ rank }) => rank)), places: ` (last seen: ${places})` };
  }
}

type Told<T> = { readonly value: T } | { readonly code: OppoError["code"]; readonly message: string };
