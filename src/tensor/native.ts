// Loads the addon and declares what it offers. Handles are small integers; 0 stands for "no tensor".
// The only file that knows where the addon lies: build/native, or the path in OPPO_NATIVE.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { OppoError } from "../error.ts";
import { createNativeError } from "./error.ts";

export type Handle = number;
type HostArray = ArrayBufferView;

export interface NativeArgument {
  readonly name: string;
  readonly type: string;
  readonly keywordOnly: boolean;
  readonly hasDefault: boolean;
  readonly fixedLength: number;
  readonly isWritten: boolean;
}

export interface NativeSchema {
  readonly name: string;
  readonly overload: string;
  readonly schema: string;
  readonly arguments: readonly NativeArgument[];
  readonly returns: readonly NativeArgument[];
}

interface Native {
  declare(name: string, overload: string): number;
  // biome-ignore lint/suspicious/noExplicitAny: what comes back depends on the operator; the wrappers are typed
  call(operator: number, ...args: unknown[]): any;
  hasOperator(name: string, overload: string): boolean;
  describe(nameOrSchema: string): NativeSchema | undefined;
  setErrorFactory(factory: typeof createNativeError): void;
  drop(handle: Handle): void;
  dropMany(handles: Int32Array, count: number): void;
  numLive(): number;
  attachGuard(object: object, handle: Handle, account: boolean): void;
  attachGeneratorGuard(object: object, handle: Handle): void;
  releaseGuard(object: object): void;
  setScratch(scratch: Float64Array): void;
  sizes(handle: Handle): number;
  strides(handle: Handle): number;
  numel(handle: Handle): number;
  dtype(handle: Handle): number;
  device(handle: Handle): string;
  item(handle: Handle): number;
  setGradMode(enabled: boolean): boolean;
  pushInference(): void;
  popInference(): void;
  requiresGrad(handle: Handle): boolean;
  setRequiresGrad(handle: Handle, required: boolean): void;
  retainGrad(handle: Handle): void;
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
  customGrad(inputs: readonly Handle[], output: Handle, backward: (upstream: Handle) => void): Handle;
  fromTyped(array: HostArray, shape: readonly number[], dtype: number): Handle;
  toTyped(handle: Handle, array: HostArray): void;
  newGenerator(seed: number, device: string): Handle;
  dropGenerator(handle: Handle): void;
  setNumThreads(threads: number): void;
  numThreads(): number;
  version(): string;
  cudaAvailable(): boolean;
  synchronize(device: string): void;
  setFlag(name: string, enabled: boolean): void;
}

function load(): Native {
  // Spinning OpenMP threads ruin every other process on shared cores; libgomp reads this once, when it is loaded.
  process.env.OMP_WAIT_POLICY ??= "passive";
  const path = process.env.OPPO_NATIVE ?? fileURLToPath(new URL("../../../native/oppo_native.node", import.meta.url));
  if (!existsSync(path)) {
    throw new OppoError("NATIVE_MISSING", `tensor: expected the native addon at ${path}. Run: npm run build`);
  }
  const addon = createRequire(import.meta.url)(path) as Native;
  addon.setErrorFactory(createNativeError);
  addon.setNumThreads(1);
  return addon;
}

export const native: Native = load();

/** Shapes and strides cross through this array. */
export const scratch = new Float64Array(64);
native.setScratch(scratch);
