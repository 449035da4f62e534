// The system's part of the set-up: a C++ compiler, libtorch, a fast BLAS and the gloo headers. Looks at files, not at a
// package database, so that a compiler or a libtorch that came another way (LIBTORCH, a Python torch) counts too; which
// libtorch is taken when there are several is the native build's business. What is missing is installed by apt-get where
// that is possible; elsewhere the exact command is printed.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { findExecutable, runCommand, SetupError } from "./command.mjs";

const SYSTEM_TORCH_HEADER = "/usr/include/torch/csrc/api/include/torch/version.h";
const APT_LISTS = "/var/lib/apt/lists";
const STALE_AFTER_DAYS = 7;
const PYTHONS = ["python3", "/usr/bin/python3"];
const PYTHON_PROBE = "import os, torch; print(os.path.dirname(torch.__file__))";

/** The step for `setup.mjs`: what is missing, and how to get it. */
export function systemPackagesStep(root) {
  return {
    name: "system packages",
    check: () => {
      const torch = findLibtorch(root);
      const packages = missingPackages(torch);
      return packages.length > 0
        ? { missing: packages.join(", ") }
        : { found: `g++, libtorch (${torch.source}: ${torch.directory})` };
    },
    apply: (announce) => installPackages(root, missingPackages(findLibtorch(root)), announce),
  };
}

function missingPackages(torch) {
  const packages = [];
  if (findExecutable(process.env.CXX ?? "g++") === null) packages.push("g++");
  if (torch === null) packages.push("libtorch-dev");
  // A libtorch that came by LIBTORCH or Python brings its own BLAS.
  if (torch !== null && torch.source !== "system") return packages;
  if (!hasOpenBlas()) packages.push("libopenblas0-pthread");
  if (!existsSync("/usr/include/gloo")) packages.push("libgloo-dev");
  return packages;
}

function hasOpenBlas() {
  const roots = ["/usr/lib", "/usr/lib64", "/usr/local/lib"];
  const folders = roots.flatMap((folder) =>
    existsSync(folder)
      ? [
          folder,
          ...readdirSync(folder)
            .filter((name) => name.includes("-linux-gnu"))
            .map((name) => join(folder, name)),
        ]
      : [],
  );
  return folders.some((folder) =>
    ["openblas-pthread", "openblas-openmp", "libopenblas.so.0"].some((name) => existsSync(join(folder, name))),
  );
}

/** Some libtorch, the cheapest to find first (a Python has to be started to be asked); null when there is none. */
function findLibtorch(root) {
  const given = process.env.LIBTORCH;
  if (given !== undefined && given !== "") {
    if (existsSync(join(given, "include/torch")) && existsSync(join(given, "lib")))
      return { source: "LIBTORCH", directory: given };
    throw new SetupError(
      `LIBTORCH: expected a folder with include/torch and lib, got "${given}". Point it at an unpacked libtorch or unset it.`,
    );
  }
  if (existsSync(SYSTEM_TORCH_HEADER)) return { source: "system", directory: "/usr" };
  const memory = join(root, "build/setup/python-torch.txt");
  if (existsSync(memory)) {
    const directory = readFileSync(memory, "utf8").trim();
    if (existsSync(join(directory, "include/torch"))) return { source: "Python torch", directory };
  }
  for (const python of PYTHONS) {
    if (findExecutable(python) === null) continue;
    const result = spawnSync(python, ["-c", PYTHON_PROBE], { encoding: "utf8", timeout: 60_000 });
    const directory = result.status === 0 ? result.stdout.trim() : "";
    if (directory === "" || !existsSync(join(directory, "include/torch"))) continue;
    mkdirSync(dirname(memory), { recursive: true });
    writeFileSync(memory, `${directory}\n`);
    return { source: "Python torch", directory };
  }
  return null;
}

async function installPackages(root, packages, announce) {
  const byHand = `sudo apt-get update && sudo apt-get install -y ${packages.join(" ")}`;
  if (process.env.OPPO_SKIP_SYSTEM === "1") {
    throw new SetupError(
      `missing: ${packages.join(", ")}; nothing was installed because OPPO_SKIP_SYSTEM=1 is set. Install them with:\n    ${byHand}`,
    );
  }
  if (findExecutable("apt-get") === null) {
    throw new SetupError(
      `missing: ${packages.join(", ")} (Debian's names), and there is no apt-get here. Install a C++ compiler and libtorch 1.13 or newer ` +
        `with your package manager, or unpack libtorch and set LIBTORCH to its folder. On Debian and Ubuntu the command is:\n    ${byHand}`,
    );
  }
  const prefix = rightsPrefix();
  if (prefix === null) {
    throw new SetupError(
      `missing: ${packages.join(", ")}; installing them needs root or sudo. Run this once, then the same command again:\n    ${byHand}`,
    );
  }
  announce(`installing ${packages.join(", ")} (about 320 MB to download, 1.4 GB on disk)`);
  const log = join(root, "build/setup/apt.log");
  const apt = async (args) => {
    const [command, ...rest] = [
      ...prefix.command,
      "env",
      "DEBIAN_FRONTEND=noninteractive",
      "apt-get",
      "-o",
      "Dpkg::Use-Pty=0",
      ...args,
    ];
    await runCommand(command, rest, { cwd: root, log, inherit: prefix.asksPassword, label: `apt-get ${args[0]}` });
  };
  const install = ["install", "-y", "--no-install-recommends", ...packages];
  try {
    if (!listsAreFresh()) {
      await apt(["update"]);
      await apt(install);
      return;
    }
    // Lists that look fresh may still name versions that the mirror has dropped: one update and one more try.
    await apt(install).catch(async () => {
      await apt(["update"]);
      await apt(install);
    });
  } catch (error) {
    throw new SetupError(`${error.message}\n  The same by hand, to see what it says:\n    ${byHand}`);
  }
}

/** How to get root: nothing, sudo without a password, sudo that may ask on a terminal; null when there is no way. */
function rightsPrefix() {
  if (process.getuid?.() === 0) return { command: [], asksPassword: false };
  if (findExecutable("sudo") === null) return null;
  if (spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status === 0)
    return { command: ["sudo", "-n"], asksPassword: false };
  return process.stdin.isTTY && process.stdout.isTTY ? { command: ["sudo"], asksPassword: true } : null;
}

function listsAreFresh() {
  if (!existsSync(APT_LISTS)) return false;
  const releases = readdirSync(APT_LISTS).filter((name) => /(^|_)(In)?Release$/.test(name));
  const newest = Math.max(0, ...releases.map((name) => statSync(join(APT_LISTS, name)).mtimeMs));
  const hasPackages = readdirSync(APT_LISTS).some((name) => name.includes("_Packages"));
  return hasPackages && Date.now() - newest < STALE_AFTER_DAYS * 86_400_000;
}
