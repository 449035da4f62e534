// Tensors on libtorch: import from here, so that the operators are installed as methods.

export { customGrad, type GradOptions, grad } from "./autograd.ts";
export { gelu, geluTanh, rmsNorm } from "./composite.ts";
export { type HostArray, indices, tensor } from "./create.ts";
export { byteSize, type DType } from "./dtype.ts";
export { CheckpointError, OperatorError, ShapeError, TensorDisposedError } from "./error.ts";
export { Generator } from "./generator.ts";
export * as op from "./ops.gen.ts";
export {
  cudaAvailable,
  deviceMemory,
  type Flag,
  hasDevice,
  hasOperator,
  knownDevices,
  numLiveTensors,
  numThreads,
  releaseMemory,
  setFlag,
  setNumThreads,
  synchronize,
  torchVersion,
} from "./runtime.ts";
export {
  openSafetensors,
  type SafetensorsFile,
  streamSafetensors,
  type TensorShape,
  writeSafetensors,
} from "./safetensors.ts";
export { enableGrad, inference, keep, noGrad, scope, Tensor } from "./tensor.ts";
export { openWorld, serveStore, type WorldAddress } from "./world/process-group.ts";
export { alone, type World } from "./world/world.ts";
