// How the addon is compiled: which compiler, and its arguments for a libtorch on a platform. The ones for macOS have never
// been run there: clang has no -fopenmp, its linker none of GNU's switches, and an addon finds Node's symbols when it loads.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export function compilerName(platform = process.platform) {
  return process.env.CXX || (platform === "darwin" ? "clang++" : "g++");
}

/** Debian builds with the new string ABI, old wheels without: the exported symbols tell. */
function cxx11Abi(lib) {
  return readFileSync(join(lib, "libc10.so")).includes("torchCheckFailEPKcS2_jRKNSt7__cxx11") ? 1 : 0;
}

/** What libtorch's own NCCL functions need of CUDA's headers. */
const cudaHeaders = ["cuda_runtime_api.h", "cublas_v2.h", "cusparse.h"];

/**
 * Arguments that compile collectives of GPUs in (native/collective.cc): the folders of CUDA's headers, of the toolkit or beside
 * the wheel; null where libtorch has no CUDA or they are not there. Then tensors of GPUs go through the host.
 */
export function ncclArguments({ hasCuda, include }) {
  if (!hasCuda) return null;
  const wheels = join(include, "../../nvidia");
  const packages = existsSync(wheels) ? readdirSync(wheels).map((name) => join(wheels, name, "include")) : [];
  const toolkits = [process.env.CUDA_HOME, "/usr/local/cuda", "/opt/cuda"]
    .filter(Boolean)
    .map((d) => join(d, "include"));
  const folders = [...toolkits, ...packages, "/usr/include"].filter((folder) => existsSync(folder));
  const isThere = (header) => folders.some((folder) => existsSync(join(folder, header)));
  if (!cudaHeaders.every(isThere)) return null;
  return ["-DOPPO_NCCL", ...folders.filter((folder) => folder !== "/usr/include").map((folder) => `-isystem${folder}`)];
}

/** Compiles standard input into `output`. `headers` is the folder of node_api.h, `std` a year such as 17. */
export function compilerArguments(libtorch, { std, output, headers, platform = process.platform, more = [] }) {
  const { include, lib, hasCuda } = libtorch;
  const isMac = platform === "darwin";
  // The experimental version makes finalizers run inside garbage collection. The npm headers lack the NAPI_EXPERIMENTAL
  // switch (and ignore it in silence), but Node asks the module for this number.
  const defines = ["NDEBUG", "NAPI_VERSION=2147483647"];
  if (!isMac) defines.push(`_GLIBCXX_USE_CXX11_ABI=${cxx11Abi(lib)}`);
  const includes = [headers, include, join(include, "torch/csrc/api/include")].filter((dir) => existsSync(dir));
  const kind = isMac ? ["-bundle", "-undefined", "dynamic_lookup"] : ["-shared", "-fopenmp"];
  // CUDA kernels register themselves when their library loads: keep it although no symbol of ours needs it.
  const cuda = ["-Wl,--no-as-needed", "-ltorch", "-ltorch_cuda", "-lc10_cuda", "-Wl,--as-needed"];
  return [
    ...[`-std=c++${std}`, "-O2", "-fPIC", ...kind, "-fvisibility=hidden", "-Wall", "-Wno-unknown-pragmas"],
    ...defines.map((name) => `-D${name}`),
    ...more,
    ...includes.filter((dir) => dir !== "/usr/include").map((dir) => `-isystem${dir}`),
    ...["-x", "c++", "-", "-x", "none", "-o", output, `-L${lib}`, `-Wl,-rpath,${lib}`],
    ...(hasCuda && !isMac ? cuda : []),
    ...["-ltorch_cpu", "-lc10", ...(isMac ? [] : ["-ldl"])],
  ];
}
