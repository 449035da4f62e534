// What the doctor says of everything that computing needs: a compiler, a libtorch, the addon that was built for one. The
// set-up's own scripts are asked, so that the doctor sees what a set-up would take.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { packageRoot } from "../../run/versions.ts";
import type { Environment, Found } from "./finding.ts";

interface Libtorch {
  readonly version: string;
  readonly lib: string;
  readonly library: string;
  readonly origin: string;
  readonly hasCuda: boolean;
  readonly isRemembered: boolean;
}

/** scripts/setup, which is plain JavaScript because it runs before anything is compiled. */
interface SetupScripts {
  findExecutable(name: string): string | null;
  compilerName(): string;
  findLibtorch(root: string): Libtorch | null;
  libtorchText(libtorch: Omit<Libtorch, "isRemembered">): string;
  adviceLines(wanted: {
    needsCompiler?: boolean;
    needsLibtorch?: boolean;
    kind: string;
    command: string;
  }): readonly string[];
  systemKind(): string;
  nativeFolder(root: string): string;
  setupCommand(root: string): string;
  setupCommandWith(root: string, argument: string): string;
}

async function setupScripts(root: string): Promise<SetupScripts> {
  const names = ["command", "compiler", "libtorch", "advice", "place"];
  const modules = await Promise.all(
    names.map((name) => import(pathToFileURL(join(root, "scripts/setup", `${name}.mjs`)).href)),
  );
  return Object.assign({}, ...modules) as SetupScripts;
}

export async function examineCompiler(environment: Environment): Promise<Found> {
  const root = packageRoot();
  const scripts = await setupScripts(root);
  const name = scripts.compilerName();
  const path = scripts.findExecutable(name);
  if (path !== null) return { text: path, values: { path } };
  const advice = { needsCompiler: true, kind: scripts.systemKind(), command: scripts.setupCommand(root) };
  return {
    // Only a set-up needs it.
    isWorking: addonIsThere(scripts, root, environment),
    text: `no ${name}`,
    values: { path },
    mend: scripts.adviceLines(advice),
  };
}

/** The libtorch that a set-up takes. */
export async function examineLibtorch(): Promise<Found> {
  const root = packageRoot();
  const scripts = await setupScripts(root);
  const found = scripts.findLibtorch(root);
  if (found !== null) {
    const { version, lib, origin, hasCuda } = found;
    return { text: scripts.libtorchText(found), values: { version, folder: lib, origin, hasCuda } };
  }
  const advice = { needsLibtorch: true, kind: scripts.systemKind(), command: scripts.setupCommand(root) };
  return { isWorking: false, text: "none found", mend: scripts.adviceLines(advice) };
}

/** The addon, by a product of two matrices. */
export async function examineAddon(environment: Environment): Promise<Found> {
  const root = packageRoot();
  const scripts = await setupScripts(root);
  const mend = [scripts.setupCommand(root)];
  if (!addonIsThere(scripts, root, environment)) {
    const without = "score, lexicon, data, evidence, mep compare and others do without";
    return { isWorking: false, text: `not built yet (${without})`, mend };
  }
  try {
    const { version, threads, cuda } = await multiply();
    const note = buildNote(scripts, root, environment);
    const builtFor = note === null ? "" : `, built for ${scripts.libtorchText(note)}`;
    const text = `works on libtorch ${version}, ${threads} thread${threads === 1 ? "" : "s"}, ${describeCuda(cuda, note)}${builtFor}`;
    return { text, values: { version, threads, cuda, builtFor: note?.lib ?? null } };
  } catch (error) {
    return { isWorking: false, text: error instanceof Error ? error.message : String(error), mend };
  }
}

function addonPath({ nativeFolder }: SetupScripts, root: string, environment: Environment): string {
  return environment.OPPO_NATIVE ?? join(nativeFolder(root), "oppo_native.node");
}

function addonIsThere(scripts: SetupScripts, root: string, environment: Environment): boolean {
  return existsSync(addonPath(scripts, root, environment));
}

/** @throws OppoError ERR_NATIVE_LOAD, Error when the product is wrong */
async function multiply(): Promise<{ version: string; threads: number; cuda: boolean }> {
  const { cudaAvailable, numThreads, op, scope, torchVersion } = await import("../../tensor/index.ts");
  const product = scope(() =>
    op.matmul(op.full([1, 4], 0.5, { dtype: "float32" }), op.full([4, 1], 2, { dtype: "float32" })).item(),
  );
  if (product !== 4) throw new Error(`expected [0.5 x 4] x [2 x 4] to be 4, got ${product}`);
  return { version: torchVersion(), threads: numThreads(), cuda: cudaAvailable() };
}

/** What the build noted beside the addon; null for an addon that came another way. */
function buildNote(
  scripts: SetupScripts,
  root: string,
  environment: Environment,
): Omit<Libtorch, "isRemembered"> | null {
  const path = join(scripts.nativeFolder(root), "build.json");
  if (environment.OPPO_NATIVE !== undefined || !existsSync(path)) return null;
  return JSON.parse(readFileSync(path, "utf8"));
}

function describeCuda(isAvailable: boolean, note: Omit<Libtorch, "isRemembered"> | null): string {
  if (isAvailable) return "CUDA works";
  return note?.hasCuda ? "CUDA in libtorch, but no device that works: see nvidia-smi" : "no CUDA";
}
