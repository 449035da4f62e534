// The system's part of the set-up: a C++ compiler, libtorch, and for Debian's libtorch a fast BLAS and the gloo headers.
// Looks at files, not at a package database, so that a compiler or a libtorch that came another way counts too. What is
// missing is installed by apt-get where that is possible; elsewhere the lines for the system are printed.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { adviceLines, systemKind } from "./advice.mjs";
import { findExecutable, runCommand, SetupError } from "./command.mjs";
import { compilerName } from "./compiler.mjs";
import { findLibtorch, libtorchText } from "./libtorch.mjs";
import { setupCommand, setupCommandWith } from "./place.mjs";

const APT_LISTS = "/var/lib/apt/lists";
const STALE_AFTER_DAYS = 7;

/** The step for `setup.mjs`: what is missing, and how to get it. */
export function systemPackagesStep(root) {
  return {
    name: "system packages",
    check: () => {
      const torch = findLibtorch(root);
      const packages = missingPackages(torch);
      if (packages.length > 0) return { missing: packages.join(", ") };
      const another = torch.isRemembered ? `; another one: LIBTORCH=DIR, or ${setupCommandWith(root, "--forget")}` : "";
      return { found: `${compilerName()}, libtorch ${libtorchText(torch)}${another}` };
    },
    apply: async (announce) => {
      const packages = missingPackages(findLibtorch(root));
      try {
        await installPackages(root, packages, announce);
      } catch (error) {
        if (packages.some((name) => name !== GLOO)) throw error;
        isGlooGivenUp = true;
        announce(`${GLOO} cannot be installed, so that oppo launch will have no processes; going on without`);
      }
    },
  };
}

/** Debian's names of what is missing, g++ and libtorch-dev whatever the system. */
function missingPackages(torch) {
  const packages = [];
  if (findExecutable(compilerName()) === null) packages.push("g++");
  if (torch === null) packages.push("libtorch-dev");
  // Only Debian's libtorch leaves them to packages of their own.
  if (torch === null ? findExecutable("apt-get") === null : !/^\/usr\/lib\/[^/]+-linux-gnu$/.test(torch.lib))
    return packages;
  if (!hasOpenBlas()) packages.push("libopenblas0-pthread");
  // Only several processes need them: where they cannot be installed, the addon is built without.
  if (!existsSync("/usr/include/gloo") && canInstall() && !isGlooGivenUp) packages.push(GLOO);
  return packages;
}

const GLOO = "libgloo-dev";
let isGlooGivenUp = false;

function canInstall() {
  return process.env.OPPO_SKIP_SYSTEM !== "1" && findExecutable("apt-get") !== null && rightsPrefix() !== null;
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

async function installPackages(root, packages, announce) {
  const byHand = `sudo apt-get update && sudo apt-get install -y ${packages.join(" ")}`;
  const missing = `missing: ${packages.join(", ")}`;
  if (findExecutable("apt-get") === null) {
    const advice = adviceLines({
      needsCompiler: packages.includes("g++"),
      needsLibtorch: packages.includes("libtorch-dev"),
      kind: systemKind(),
      command: setupCommand(root),
    });
    throw new SetupError(`${missing} (Debian's names). How to get it:\n    ${advice.join("\n    ")}`);
  }
  if (process.env.OPPO_SKIP_SYSTEM === "1") {
    throw new SetupError(
      `${missing}; nothing was installed because OPPO_SKIP_SYSTEM=1 is set. Install them with:\n    ${byHand}${otherWay(root, packages)}`,
    );
  }
  const prefix = rightsPrefix();
  if (prefix === null) {
    throw new SetupError(
      `${missing}; installing them needs root or sudo. Run this once, then the same command again:\n    ${byHand}${otherWay(root, packages)}`,
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

/** libtorch needs no root: pip's counts too. */
function otherWay(root, packages) {
  if (!packages.includes("libtorch-dev")) return "";
  const [first, second] = adviceLines({ needsLibtorch: true, command: setupCommand(root) });
  return `\n  ${first}\n  ${second}`;
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
