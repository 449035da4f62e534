// Builds the addon: one compiler run over native/*.cc, linked against the libtorch that setup/libtorch.mjs finds. No
// node-gyp, no download. The result and what it was made from are in build/native; nothing happens when neither the
// sources nor libtorch changed. --force rebuilds.
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
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { SetupError } from "./setup/command.mjs";
import { compilerArguments, compilerName, ncclArguments } from "./setup/compiler.mjs";
import { findLibtorch, libtorchText, rememberLibtorch } from "./setup/libtorch.mjs";
import { isClone, nativeFolder, setupCommand } from "./setup/place.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const nativeDir = join(root, "native");
const outDir = nativeFolder(root);
const addonPath = join(outDir, "oppo_native.node");
const stampPath = join(outDir, "build.json");
const sources = readdirSync(nativeDir)
  .filter((name) => name.endsWith(".cc"))
  .sort();

/** Of the npm package, wherever npm put it: beside an installed package's folder or below it. */
function headersDir() {
  try {
    const entry = createRequire(join(root, "package.json")).resolve("node-api-headers");
    return join(dirname(entry), "include");
  } catch {
    const remedy = isClone(root) ? "Run: npm ci" : "Install the package again.";
    throw new SetupError(`the npm package node-api-headers is not there. ${remedy}`);
  }
}

/** Hash of everything of ours that decides the result. */
function sourceHash() {
  const hash = createHash("sha256");
  const scripts = [fileURLToPath(import.meta.url), join(root, "scripts/setup/compiler.mjs")];
  const paths = [...scripts, ...[...sources, "engine.h"].map((name) => join(nativeDir, name))];
  for (const path of paths) hash.update(basename(path)).update(readFileSync(path));
  return hash.digest("hex");
}

/** Size and time of a library: changes when libtorch is upgraded in place. */
function fingerprint(path) {
  const { size, mtimeMs } = statSync(realpathSync(path));
  return `${size}:${Math.round(mtimeMs)}`;
}

/** One translation unit: libtorch's headers are the cost of a compilation, so they are read once. */
function compile(libtorch) {
  const unit = sources.map((name) => `#include "${join(nativeDir, name)}"\n`).join("");
  const output = `${addonPath}.${process.pid}`;
  const headers = headersDir();
  const compiler = compilerName();
  // libtorch moved from C++17 to C++20 somewhere between 2.6 and 2.14: the likelier standard first, then the other.
  const isNew = libtorch.major > 2 || (libtorch.major === 2 && libtorch.minor >= 10);
  const failures = [];
  const nccl = ncclArguments(libtorch);
  // Collectives of GPUs depend on CUDA's headers too, which may be of another version: without them rather than not at all.
  const ways = (nccl === null ? [[]] : [nccl, []]).flatMap((more) =>
    (isNew ? [20, 17] : [17, 20]).map((std) => ({ std, more })),
  );
  for (const { std, more } of ways) {
    const args = compilerArguments(libtorch, { std, output, headers, more });
    const result = spawnSync(compiler, args, { input: unit, encoding: "utf8", maxBuffer: 1 << 28 });
    // EPIPE: it ended before it had read everything; what it said is the reason.
    if (result.error && result.error.code !== "EPIPE") {
      throw new SetupError(`cannot run the compiler: ${result.error.message}. Install ${compiler} or set CXX.`);
    }
    if (result.status === 0) {
      renameSync(output, addonPath);
      return { std, hasNccl: more.length > 0, warnings: result.stderr };
    }
    failures.push(`with -std=c++${std}:\n${result.stderr.split("\n").slice(0, 40).join("\n")}`);
  }
  throw new SetupError(`the addon does not compile against libtorch ${libtorchText(libtorch)}\n${failures.join("\n")}`);
}

/** What the addon that lies there was made from; null when there is none, or from before its libtorch was kept. */
function lastBuild() {
  if (!existsSync(stampPath)) return null;
  const stamp = JSON.parse(readFileSync(stampPath, "utf8"));
  return stamp.lib === undefined ? null : stamp;
}

function isFresh(hash, { library, include }) {
  const stamp = lastBuild();
  if (stamp === null || !existsSync(addonPath) || process.argv.includes("--force")) return false;
  return (
    stamp.hash === hash &&
    stamp.library === library &&
    stamp.include === include &&
    stamp.fingerprint === fingerprint(library)
  );
}

function main() {
  const hash = sourceHash();
  const libtorch = findLibtorch(root);
  if (libtorch === null) throw new SetupError(`no libtorch found. ${setupCommand(root)} says how to get one.`);
  if (!isFresh(hash, libtorch)) build(libtorch, hash);
  // An addon that is built elsewhere, for a measurement, decides nothing.
  if (process.env.OPPO_NATIVE_DIR === undefined) rememberLibtorch(root, libtorch);
}

function build(libtorch, hash) {
  const before = lastBuild();
  mkdirSync(outDir, { recursive: true });
  process.stdout.write(`native addon: compiling against libtorch ${libtorchText(libtorch)}\n`);
  const start = performance.now();
  const { std, hasNccl, warnings } = compile(libtorch);
  process.stderr.write(warnings);
  const { library, include, lib, version, hasCuda, origin } = libtorch;
  const from = { library, include, lib, fingerprint: fingerprint(library), version, hasCuda, hasNccl, origin };
  writeFileSync(stampPath, `${JSON.stringify({ hash, std, ...from }, null, 2)}\n`);
  const isOther = before !== null && (before.library !== library || before.version !== version);
  const change = isOther ? `; before it was ${libtorchText(before)}` : "";
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  process.stdout.write(`native addon: built in ${seconds} s against libtorch ${libtorchText(libtorch)}${change}\n`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`native addon: ${error.message}\n`);
  process.exitCode = 1;
}
