// How to get a compiler and libtorch where the set-up cannot install them by itself: the lines for this kind of system.

import { existsSync, readFileSync } from "node:fs";

/** Kind of system -> how it installs a C++ compiler. */
const COMPILER_COMMANDS = {
  debian: "sudo apt-get install -y g++",
  fedora: "sudo dnf install -y gcc-c++",
  arch: "sudo pacman -S --needed gcc",
  suse: "sudo zypper install -y gcc-c++",
  macos: "xcode-select --install",
};

/** What os-release names -> kind of system; ID_LIKE counts too, so relatives need no row. */
const KINDS = {
  debian: "debian",
  ubuntu: "debian",
  fedora: "fedora",
  rhel: "fedora",
  centos: "fedora",
  arch: "arch",
  suse: "suse",
  opensuse: "suse",
  alpine: "alpine",
};

/** "debian", "fedora", "arch", "suse", "alpine", "macos" or "unknown". */
export function systemKind(platform = process.platform, osRelease = readOsRelease()) {
  if (platform === "darwin") return "macos";
  const value = (key) => new RegExp(`^${key}="?([^"\n]*)"?$`, "m").exec(osRelease)?.[1] ?? "";
  const names = `${value("ID")} ${value("ID_LIKE")}`.split(/[\s-]+/);
  const known = names.find((name) => Object.hasOwn(KINDS, name));
  return known === undefined ? "unknown" : KINDS[known];
}

function readOsRelease() {
  return existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
}

/** Lines that a person can copy. `command` is what to run afterwards. */
export function adviceLines({ needsCompiler, needsLibtorch, kind, command }) {
  const lines = [];
  if (needsCompiler) {
    lines.push(
      `a C++ compiler: ${COMPILER_COMMANDS[kind] ?? "g++ from your package manager, or set CXX to another one"}`,
    );
  }
  if (!needsLibtorch) return lines;
  if (kind === "alpine") lines.push("libtorch: there is none for musl; use a Debian, Ubuntu or Fedora container");
  else {
    lines.push(
      "libtorch, the easiest way: python3 -m venv torch-env && torch-env/bin/pip install torch",
      `  then: LIBTORCH=$PWD/torch-env ${command}`,
      "in conda: conda install -c conda-forge pytorch; an active environment is found by itself",
    );
  }
  if (kind === "debian") {
    lines.push(
      "or the system's (older, CPU only): sudo apt-get install -y libtorch-dev libopenblas0-pthread libgloo-dev",
    );
  }
  return lines;
}
