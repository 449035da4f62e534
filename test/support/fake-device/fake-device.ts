// Builds and loads the fake device of fake-device.cc, once per version of it and of libtorch. Its tensors lie on `fakeDevice`.
// Must be loaded before the first backward pass, which starts a thread per device.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { repositoryRoot } from "../repository.ts";

export const fakeDevice = "privateuseone:0";

/** Counts by name since the last report. */
export interface FakeReport {
  /** By operator: "aten::mm". */
  readonly kernels: Readonly<Record<string, number>>;
  /** "to device", "to host", "within", "item". The second and the last make a GPU wait. */
  readonly copies: Readonly<Record<string, number>>;
}

interface Libtorch {
  readonly include: string;
  readonly lib: string;
  readonly major: number;
  readonly minor: number;
  readonly version: string;
}

const folder = join(repositoryRoot, "build/fake-device");
const script = (name: string) => import(pathToFileURL(join(repositoryRoot, "scripts/setup", name)).href);

/** The libtorch of the build. */
export async function usedLibtorch(): Promise<Libtorch> {
  const { findLibtorch } = (await script("libtorch.mjs")) as { findLibtorch: (root: string) => Libtorch };
  return findLibtorch(repositoryRoot);
}

let loaded: { report(): string } | null = null;

/** Loads it, and builds it first where that has not been done. */
export async function loadFakeDevice(): Promise<void> {
  // The addon first: it decides how libtorch's threads wait.
  await import("../../../src/tensor/index.ts");
  loaded ??= createRequire(import.meta.url)(await build()) as { report(): string };
}

export function fakeReport(): FakeReport {
  if (loaded === null) throw new Error("the fake device is not loaded");
  return JSON.parse(loaded.report()) as FakeReport;
}

async function build(): Promise<string> {
  const source = readFileSync(join(repositoryRoot, "test/support/fake-device/fake-device.cc"), "utf8");
  const libtorch = await usedLibtorch();
  const hash = createHash("sha256").update(source).update(libtorch.lib).update(libtorch.version).digest("hex");
  const output = join(folder, `${hash.slice(0, 16)}.node`);
  if (existsSync(output)) return output;
  mkdirSync(folder, { recursive: true });
  const { compilerArguments, compilerName } = (await script("compiler.mjs")) as {
    compilerArguments: (libtorch: Libtorch, options: object) => string[];
    compilerName: () => string;
  };
  const headers = join(createRequire(import.meta.url).resolve("node-api-headers"), "../include");
  const isNew = libtorch.major > 2 || (libtorch.major === 2 && libtorch.minor >= 10);
  const unfinished = `${output}.${process.pid}`;
  let failures = "";
  for (const std of isNew ? [20, 17] : [17, 20]) {
    const args = compilerArguments(libtorch, { std, output: unfinished, headers });
    const result = spawnSync(compilerName(), args, { input: source, encoding: "utf8", maxBuffer: 1 << 28 });
    if (result.status === 0) {
      renameSync(unfinished, output);
      return output;
    }
    failures += `-std=c++${std}: ${result.error?.message ?? result.stderr.slice(0, 2000)}\n`;
  }
  throw new Error(`the fake device does not compile against libtorch ${libtorch.version}\n${failures}`);
}
