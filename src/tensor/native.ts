// Loads the addon and declares what it offers. Handles are small integers; 0 stands for "no tensor".
// The only file that knows where the addon lies: build/native, or the path in OPPO_NATIVE.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { OppoError } from "../error.ts";
import { createNativeError } from "./error.ts";

export type Handle = number;
type HostArray = ArrayBufferView;

interface Native {
  declare(name: string, overload: string): number;
  // biome-ignore lint/suspicious/noExplicitAny: what comes back depends on the operator; the wrappers are typed
  call(operator: number, ...args: unknown[]): any;
  /** The operator's schema in the loaded library; undefined when there is none. */
  schemaOf(name: string, overload: string): string | undefined;
  setErrorFactory(factory: typeof createNativeError): void;
  drop(handle: Handle): void;
  dropMany(handles: Int32Array, count: number): void;
  numLive(): number;
  attachGuard(object: object, handle: Handle, account: boolean, isGenerator: boolean): void;
  releaseGuard(object: object): void;
  setScratch(scratch: Float64Array): void;
  sizes(handle: Handle): number;
  dtype(handle: Handle): number;
  device(handle: Handle): string;
  setGradMode(enabled: boolean): boolean;
  pushInference(): void;
  popInference(): void;
  requiresGrad(handle: Handle): boolean;
  grad(handle: Handle): Handle;
  setGrad(handle: Handle, grad: Handle | null): void;
  backward(handle: Handle, gradient: Handle | null, retainGraph: boolean): void;
  gradOf(
    outputs: readonly Handle[],
    inputs: readonly Handle[],
    gradOutputs: readonly Handle[] | null,
    retainGraph: boolean,
    createGraph: boolean,
  ): Handle[];
  deliver(gradients: readonly Handle[]): void;
  customGrad(
    inputs: readonly Handle[],
    output: Handle,
    backward: (upstream: Handle, saved: readonly Handle[]) => void,
    saved: readonly Handle[],
  ): Handle;
  fromTyped(array: HostArray, shape: readonly number[], dtype: number): Handle;
  toTyped(handle: Handle, array: HostArray): void;
  newGenerator(seed: number, device: string): Handle;
  dropGenerator(handle: Handle): void;
  setNumThreads(threads: number): void;
  numThreads(): number;
  version(): string;
  cudaAvailable(): boolean;
  synchronize(device: string): void;
  releaseMemory(): void;
  deviceMemory(device: string): [free: number, total: number] | undefined;
  setFlag(name: string, enabled: boolean): void;
  /** Whether there are collectives: Gloo's headers were there when the addon was built. */
  canGroup(): boolean;
  openStore(host: string, port: number, isServer: boolean, milliseconds: number, prefix: string): number;
  storeSet(key: string, text: string): void;
  storeAdd(key: string, number: number): number;
  storeGet(key: string, milliseconds: number): string | undefined;
  openGroup(rank: number, size: number, address: string, milliseconds: number): void;
  /** undefined: NCCL was not compiled in. */
  ncclId(): string | undefined;
  openNccl(rank: number, size: number, id: string, device: string): void;
  closeGroup(): void;
  allReduce(handle: Handle, how: "sum" | "max"): void;
  allGather(whole: Handle, part: Handle): void;
  reduceScatter(part: Handle, whole: Handle): void;
}

/** What sets up the addon: in a clone, and in an installed package, where npx must not ask a registry for the name. */
function setupCommand(): string {
  const isClone = existsSync(fileURLToPath(new URL("../../../../tsconfig.json", import.meta.url)));
  return isClone ? "npm run setup" : "npx --no oppo setup";
}

/** @throws OppoError ERR_NATIVE_MISSING, ERR_NATIVE_LOAD */
function requireAddon(path: string): Native {
  if (!existsSync(path)) {
    throw new OppoError(
      "ERR_NATIVE_MISSING",
      `tensor: expected the native addon at ${path}, got nothing there: this command computes with libtorch, which is set up once. Run: ${setupCommand()}`,
    );
  }
  try {
    return createRequire(import.meta.url)(path) as Native;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new OppoError(
      "ERR_NATIVE_LOAD",
      `tensor: expected the native addon to load, got "${message}". Its libtorch was moved, removed or replaced, or it was built for another machine. Run: ${setupCommand()}`,
      { cause },
    );
  }
}

function load(): Native {
  // Spinning OpenMP threads ruin every other process on shared cores; libgomp reads this once, when it is loaded.
  process.env.OMP_WAIT_POLICY ??= "passive";
  const path = process.env.OPPO_NATIVE ?? fileURLToPath(new URL("../../../native/oppo_native.node", import.meta.url));
  const addon = requireAddon(path);
  addon.setErrorFactory(createNativeError);
  addon.setNumThreads(1);
  return addon;
}

export const native: Native = load();

/** Shapes and strides cross through this array. */
export const scratch = new Float64Array(64);
native.setScratch(scratch);
