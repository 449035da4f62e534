// What the loaded libtorch is and how it runs: version, operators, threads, devices, counts.
import { native } from "./native.ts";

/** Tensors with a live handle. A test that ends with more than it began with leaks. */
export function numLiveTensors(): number {
  return native.numLive();
}

/** Threads inside one operator, for libtorch and OpenBLAS. The default is 1: on shared cores more is slower. */
export function setNumThreads(threads: number): void {
  native.setNumThreads(threads);
}

export function numThreads(): number {
  return native.numThreads();
}

/** Whether the loaded libtorch has an operator: "rms_norm", "aten::add.Tensor". */
export function hasOperator(name: string): boolean {
  const [base, overload = ""] = (name.includes("::") ? name : `aten::${name}`).split(".");
  return native.schemaOf(base!, overload) !== undefined;
}

export function torchVersion(): string {
  return native.version();
}

export function cudaAvailable(): boolean {
  return native.cudaAvailable();
}

/** Whether tensors can be made on a device: "cpu", "cuda:1". */
export function hasDevice(device: string): boolean {
  try {
    native.synchronize(device);
    return true;
  } catch {
    return false;
  }
}

/** Gives memory that is free but kept back to the system. The next large tensors pay for it again. */
export function releaseMemory(): void {
  native.releaseMemory();
}

/** Bytes of a GPU's memory, as its driver tells them; null of the CPU, and where nobody tells. */
export function deviceMemory(device: string): { readonly free: number; readonly total: number } | null {
  const told = native.deviceMemory(device);
  return told ? { free: told[0], total: told[1] } : null;
}

/** The devices that tensors can be made on here: "cpu", "cuda:0". */
export function knownDevices(): string[] {
  const most = 64;
  const devices = ["cpu"];
  if (!cudaAvailable()) return devices;
  while (devices.length <= most && hasDevice(`cuda:${devices.length - 1}`)) devices.push(`cuda:${devices.length - 1}`);
  return devices;
}

/** Waits until everything queued on a device is done: before reading a clock. */
export function synchronize(device = "cuda"): void {
  native.synchronize(device);
}

export type Flag = "onednn" | "tf32" | "deterministic";

/** Back-end switches of the whole process. */
export function setFlag(flag: Flag, enabled: boolean): void {
  native.setFlag(flag, enabled);
}
