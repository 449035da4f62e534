// Which libtorch: the one that LIBTORCH names, else the one of the last build, which is remembered in build/setup, else
// what is found: the activated Python or conda environment, a Python's torch, the system's. Plain Node, and quick when
// something is remembered: only a search starts a Python.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { findExecutable, SetupError } from "./command.mjs";

const PYTHONS = ["python3", "python", "/usr/bin/python3"];
/** Asks where torch is without importing it, which takes seconds. */
const PYTHON_PROBE = "import importlib.util as u; s = u.find_spec('torch'); print(s.origin if s else '')";
const SYSTEM_FOLDERS = ["/usr", "/usr/local", "/opt/libtorch", "/opt/homebrew", "/opt/homebrew/opt/pytorch"];
/** The version's header moved on the way to 2.14. */
const VERSION_HEADERS = ["torch/csrc/api/include/torch/version.h", "torch/headeronly/version.h"];

export const libraryEnding = process.platform === "darwin" ? ".dylib" : ".so";

/**
 * The libtorch in a folder: an unpacked libtorch, a Python's torch package, an environment of Python or conda, or a
 * system's prefix. Null when there is none, or when its headers or its libraries are missing.
 */
export function libtorchIn(folder) {
  const packages = ["lib", "lib64"].flatMap((lib) =>
    entries(join(folder, lib), (name) => /^python3/.test(name)).flatMap((python) => [
      join(python, "site-packages/torch"),
      join(python, "dist-packages/torch"),
    ]),
  );
  const bases = [folder, join(folder, "torch"), join(folder, "libtorch"), ...packages];
  for (const base of bases) {
    const include = join(base, "include");
    if (versionHeaders(include).length === 0) continue;
    const triplets = entries(join(base, "lib"), (name) => name.endsWith("-linux-gnu"));
    // conda keeps the libraries of its Python's torch in the environment's own lib.
    const libs = [join(base, "lib"), join(base, "lib64"), ...triplets, join(folder, "lib")];
    const lib = libs.find((path) => existsSync(join(path, `libtorch_cpu${libraryEnding}`)));
    if (lib !== undefined) return describe(include, lib);
  }
  return null;
}

function versionHeaders(include) {
  return VERSION_HEADERS.map((name) => join(include, name)).filter((path) => existsSync(path));
}

function describe(include, lib) {
  const text = versionHeaders(include)
    .map((path) => readFileSync(path, "utf8"))
    .join("");
  const part = (name) => Number(new RegExp(`#define TORCH_VERSION_${name} (\\d+)`).exec(text)?.[1] ?? 0);
  const [major, minor, patch] = ["MAJOR", "MINOR", "PATCH"].map(part);
  const hasCuda = existsSync(join(lib, `libtorch_cuda${libraryEnding}`));
  const library = join(lib, `libtorch_cpu${libraryEnding}`);
  return { include, lib, library, major, minor, version: `${major}.${minor}.${patch}`, hasCuda };
}

function entries(folder, isWanted) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter(isWanted)
    .map((name) => join(folder, name));
}

/**
 * The libtorch that a build takes, with where it came from (`origin`) and whether it is only remembered; null when there
 * is none. @throws SetupError when LIBTORCH names a folder without one.
 */
export function findLibtorch(root) {
  const given = process.env.LIBTORCH;
  if (given !== undefined && given !== "") {
    const found = libtorchIn(resolve(given));
    if (found !== null) return { ...found, origin: "LIBTORCH", isRemembered: false };
    throw new SetupError(
      `LIBTORCH: expected a folder with include/torch and lib/libtorch_cpu${libraryEnding}, or a Python environment with torch in it, ` +
        `got "${given}". Point it at an unpacked libtorch, or at the environment in which pip installed torch, or unset it.`,
    );
  }
  return recall(root) ?? search();
}

function search() {
  for (const variable of ["VIRTUAL_ENV", "CONDA_PREFIX"]) {
    const folder = process.env[variable];
    const found = folder ? libtorchIn(folder) : null;
    if (found !== null) return { ...found, origin: variable, isRemembered: false };
  }
  for (const python of PYTHONS) {
    if (findExecutable(python) === null) continue;
    const result = spawnSync(python, ["-c", PYTHON_PROBE], { encoding: "utf8", timeout: 60_000 });
    const path = result.status === 0 ? result.stdout.trim() : "";
    const found = path === "" ? null : libtorchIn(dirname(path));
    if (found !== null) return { ...found, origin: python, isRemembered: false };
  }
  for (const folder of SYSTEM_FOLDERS) {
    const found = libtorchIn(folder);
    if (found !== null) return { ...found, origin: "system", isRemembered: false };
  }
  return null;
}

/** Example: "2.6.0 with CUDA (LIBTORCH: /opt/libtorch/lib, remembered)" */
export function libtorchText({ version, hasCuda, origin, lib, isRemembered }) {
  return `${version}${hasCuda ? " with CUDA" : ""} (${origin}: ${lib}${isRemembered ? ", remembered" : ""})`;
}

const memoryPath = (root) => join(root, "build/setup/libtorch.json");

/** What the last build took, looked at anew; null when it is gone. */
function recall(root) {
  const memory = readMemory(root);
  if (memory === null) return null;
  const { include, lib, origin } = memory;
  const found = describe(include, lib);
  return existsSync(found.library) && found.major > 0 ? { ...found, origin, isRemembered: true } : null;
}

/** What the last build took, which may be gone; null when nothing is remembered. */
function readMemory(root) {
  try {
    return JSON.parse(readFileSync(memoryPath(root), "utf8"));
  } catch {
    // None yet, or not a whole one: the search decides, and says what it takes.
    return null;
  }
}

export function rememberLibtorch(root, { isRemembered: _, ...found }) {
  mkdirSync(dirname(memoryPath(root)), { recursive: true });
  writeFileSync(memoryPath(root), `${JSON.stringify(found, null, 2)}\n`);
}

/** The next set-up searches anew. */
export function forgetLibtorch(root) {
  rmSync(memoryPath(root), { force: true });
}
