// Builds the addon: one g++ run over native/*.cc, linked against the libtorch that it finds. No node-gyp, no download.
// libtorch: LIBTORCH (a directory with include/ and lib/), then a Python torch, then the system's. The result and what
// it was made from are in build/native; nothing happens when neither the sources nor libtorch changed. --force rebuilds.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const nativeDir = join(root, "native");
const outDir = process.env.OPPO_NATIVE_DIR ?? join(root, "build", "native");
const addonPath = join(outDir, "oppo_native.node");
const stampPath = join(outDir, "build.json");
const sources = readdirSync(nativeDir)
  .filter((name) => name.endsWith(".cc"))
  .sort();

class BuildError extends Error {}

function headersDir() {
  const dir = join(root, "node_modules", "node-api-headers", "include");
  if (!existsSync(join(dir, "node_api.h"))) throw new BuildError(`no Node-API headers in ${dir}. Run: npm ci`);
  return dir;
}

/** Hash of everything of ours that decides the result. */
function sourceHash() {
  const hash = createHash("sha256").update(readFileSync(fileURLToPath(import.meta.url)));
  for (const name of [...sources, "engine.h"]) hash.update(name).update(readFileSync(join(nativeDir, name)));
  return hash.digest("hex");
}

/** Size and time of a library: changes when libtorch is upgraded in place. */
function fingerprint(path) {
  const { size, mtimeMs } = statSync(realpathSync(path));
  return `${size}:${Math.round(mtimeMs)}`;
}

/** The libtorch with these directories, or null. Headers and libraries must both be there. */
function libtorchAt(include, lib, origin) {
  const library = join(lib, "libtorch_cpu.so");
  const places = ["torch/csrc/api/include/torch/version.h", "torch/headeronly/version.h"]; // moved on the way to 2.14
  const headers = places.map((place) => join(include, place)).filter((header) => existsSync(header));
  if (headers.length === 0 || !existsSync(library)) return null;
  const text = headers.map((header) => readFileSync(header, "utf8")).join("");
  const part = (name) => Number(new RegExp(`#define TORCH_VERSION_${name} (\\d+)`).exec(text)?.[1] ?? 0);
  return { include, lib, library, origin, major: part("MAJOR"), minor: part("MINOR") };
}

/** Where a Python finds its torch, without importing it (that takes seconds). */
function pythonTorchDir(python) {
  const code = "import importlib.util as u; s = u.find_spec('torch'); print(s.origin if s else '')";
  const result = spawnSync(python, ["-c", code], { encoding: "utf8" });
  return result.status === 0 && result.stdout.trim() ? dirname(result.stdout.trim()) : null;
}

function systemLibDir() {
  const result = spawnSync("/sbin/ldconfig", ["-p"], { encoding: "utf8" });
  return /libtorch_cpu\.so\S* .*=> (\S+)\/libtorch_cpu/.exec(result.stdout ?? "")?.[1] ?? null;
}

function findLibtorch() {
  const given = process.env.LIBTORCH;
  if (given) {
    const found = libtorchAt(join(given, "include"), join(given, "lib"), "LIBTORCH");
    if (!found) throw new BuildError(`LIBTORCH=${given}: expected include/torch and lib/libtorch_cpu.so in it`);
    return found;
  }
  for (const python of ["python3", "/usr/bin/python3"]) {
    const dir = pythonTorchDir(python);
    const found = dir && libtorchAt(join(dir, "include"), join(dir, "lib"), python);
    if (found) return found;
  }
  const systemDir = systemLibDir();
  const system = systemDir && libtorchAt("/usr/include", systemDir, "system");
  if (system) return system;
  throw new BuildError(
    "no libtorch found. On Debian or Ubuntu: sudo apt-get install -y g++ libtorch-dev libopenblas0-pthread; " +
      "elsewhere set LIBTORCH to an unpacked libtorch.",
  );
}

/** Debian builds with the new string ABI, old wheels without: the exported symbols tell. */
function cxx11Abi(lib) {
  return readFileSync(join(lib, "libc10.so")).includes("torchCheckFailEPKcS2_jRKNSt7__cxx11") ? 1 : 0;
}

function compilerArguments(libtorch, std, output) {
  // The experimental version makes finalizers run inside garbage collection. The npm headers lack the NAPI_EXPERIMENTAL
  // switch (and ignore it in silence), but Node asks the module for this number.
  const defines = ["NDEBUG", "NAPI_VERSION=2147483647", `_GLIBCXX_USE_CXX11_ABI=${cxx11Abi(libtorch.lib)}`];
  const includes = [headersDir(), libtorch.include, join(libtorch.include, "torch/csrc/api/include")];
  const hasCuda = existsSync(join(libtorch.lib, "libtorch_cuda.so"));
  return [
    ...[
      `-std=c++${std}`,
      "-O2",
      "-fPIC",
      "-shared",
      "-fopenmp",
      "-fvisibility=hidden",
      "-Wall",
      "-Wno-unknown-pragmas",
    ],
    ...defines.map((name) => `-D${name}`),
    ...includes.filter((dir) => dir !== "/usr/include").map((dir) => `-isystem${dir}`),
    ...["-x", "c++", "-", "-x", "none", "-o", output, `-L${libtorch.lib}`, `-Wl,-rpath,${libtorch.lib}`],
    // CUDA kernels register themselves when their library loads: keep it although no symbol of ours needs it.
    ...(hasCuda ? ["-Wl,--no-as-needed", "-ltorch", "-ltorch_cuda", "-lc10_cuda", "-Wl,--as-needed"] : []),
    ...["-ltorch_cpu", "-lc10", "-ldl"],
  ];
}

/** One translation unit: libtorch's headers are the cost of a compilation, so they are read once. */
function compile(libtorch) {
  const unit = sources.map((name) => `#include "${join(nativeDir, name)}"\n`).join("");
  const temporary = `${addonPath}.${process.pid}`;
  // libtorch moved from C++17 to C++20 somewhere between 2.6 and 2.14: the likelier standard first, then the other.
  const isNew = libtorch.major > 2 || (libtorch.major === 2 && libtorch.minor >= 10);
  const failures = [];
  for (const std of isNew ? [20, 17] : [17, 20]) {
    const args = compilerArguments(libtorch, std, temporary);
    const result = spawnSync(process.env.CXX ?? "g++", args, { input: unit, encoding: "utf8", maxBuffer: 1 << 28 });
    if (result.error) throw new BuildError(`cannot run the compiler: ${result.error.message}. Install g++ or set CXX.`);
    if (result.status === 0) {
      renameSync(temporary, addonPath);
      return { std, warnings: result.stderr };
    }
    failures.push(`with -std=c++${std}:\n${result.stderr.split("\n").slice(0, 40).join("\n")}`);
  }
  const version = `${libtorch.major}.${libtorch.minor}`;
  throw new BuildError(
    `the addon does not compile against libtorch ${version} (${libtorch.lib})\n${failures.join("\n")}`,
  );
}

function isFresh(hash, requested) {
  if (!existsSync(addonPath) || !existsSync(stampPath) || process.argv.includes("--force")) return false;
  const stamp = JSON.parse(readFileSync(stampPath, "utf8"));
  if (stamp.hash !== hash || stamp.requested !== requested || !existsSync(stamp.library)) return false;
  return fingerprint(stamp.library) === stamp.fingerprint;
}

function main() {
  const hash = sourceHash();
  const requested = process.env.LIBTORCH ?? null;
  if (isFresh(hash, requested)) return;
  const libtorch = findLibtorch();
  const version = `${libtorch.major}.${libtorch.minor}`;
  mkdirSync(outDir, { recursive: true });
  process.stdout.write(`native addon: compiling against libtorch ${version} (${libtorch.origin})\n`);
  const start = performance.now();
  const { std, warnings } = compile(libtorch);
  process.stderr.write(warnings);
  const { library, origin } = libtorch;
  const stamp = { hash, requested, library, fingerprint: fingerprint(library), version, origin, std };
  writeFileSync(stampPath, `${JSON.stringify(stamp, null, 2)}\n`);
  process.stdout.write(`native addon: built in ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  process.stderr.write(`native addon: ${error.message}\n`);
  process.exit(1);
}
