// The native build with a compiler that only writes its output: which libtorch it takes, remembers and says; and the
// arguments and the advice for systems that this one is not.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { putTorch } from "../support/libtorch-folder.ts";
import { repositoryRoot } from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

interface Libtorch {
  readonly include: string;
  readonly lib: string;
  readonly version: string;
  readonly hasCuda: boolean;
}

const script = (name: string) => import(join(repositoryRoot, "scripts/setup", name));
const { libtorchIn } = (await script("libtorch.mjs")) as { libtorchIn(folder: string): Libtorch | null };
const { compilerArguments } = (await script("compiler.mjs")) as {
  compilerArguments(torch: Libtorch, options: Record<string, string | number>): string[];
};
const { adviceLines, systemKind } = (await script("advice.mjs")) as {
  systemKind(platform: string, osRelease: string): string;
  adviceLines(wanted: Record<string, string | boolean>): string[];
};

/** An installed package's root with the real build and no libtorch in sight. */
function makePackage(t: TestContext): { root: string; build(environment?: Record<string, string>): string } {
  const root = temporaryFolder(t);
  for (const name of ["scripts/setup", "scripts/setup.mjs", "scripts/build-native.mjs"])
    cpSync(join(repositoryRoot, name), join(root, name), { recursive: true });
  mkdirSync(join(root, "native"));
  writeFileSync(join(root, "native/a.cc"), "");
  writeFileSync(join(root, "native/engine.h"), "");
  writeFileSync(join(root, "package.json"), "{}");
  // Beside an installed package, not below it.
  const headers = join(root, "node_modules/node-api-headers");
  mkdirSync(join(headers, "include"), { recursive: true });
  writeFileSync(join(headers, "index.js"), "");
  const compiler = join(root, "compiler");
  writeFileSync(
    compiler,
    `#!/bin/sh\nwhile read -r _; do :; done\necho run >> ${root}/compiles\nwhile [ $# -gt 0 ]; do [ "$1" = -o ] && : > "$2"; shift; done\n`,
    { mode: 0o755 },
  );
  const build = (environment: Record<string, string> = {}): string => {
    const env = { PATH: "/nowhere", CXX: compiler, OPPO_SKIP_SYSTEM: "1", ...environment };
    const args = [join(root, "scripts/setup.mjs"), ...(environment.ARGS === undefined ? [] : [environment.ARGS])];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", env });
    return stdout + stderr;
  };
  return { root, build };
}

describe("which libtorch", () => {
  it("is remembered, changes aloud, and is forgotten when asked", (t) => {
    const { root, build } = makePackage(t);
    const [old, fresh] = [join(root, "old"), join(root, "torch-env")];
    putTorch(old, "1.13.1");
    putTorch(join(fresh, "lib/python3.12/site-packages/torch"), "2.6.0");
    const numCompiles = () => readFileSync(join(root, "compiles"), "utf8").split("\n").length - 1;
    assert.match(build({ LIBTORCH: old }), /built in .* against libtorch 1\.13\.1 \(LIBTORCH: .*old\/lib\)/);
    assert.equal(existsSync(join(root, "build/native/oppo_native.node")), true);
    const changed = build({ LIBTORCH: fresh });
    assert.match(changed, /against libtorch 2\.6\.0 \(LIBTORCH: .*torch\/lib\); before it was 1\.13\.1 \(LIBTORCH: /);
    const plain = build({ VIRTUAL_ENV: old });
    assert.match(plain, /libtorch 2\.6\.0 \(LIBTORCH: .*, remembered\); another one: .*npx --no oppo setup --forget/);
    assert.equal(numCompiles(), 2);
    const searched = build({ VIRTUAL_ENV: old, ARGS: "--forget" });
    assert.match(searched, /against libtorch 1\.13\.1 \(VIRTUAL_ENV: .*\); before it was 2\.6\.0/);
    assert.equal(numCompiles(), 3);
    rmSync(old, { recursive: true });
    assert.match(build({ CONDA_PREFIX: fresh }), /against libtorch 2\.6\.0 \(CONDA_PREFIX: .*; before it was 1\.13\.1/);
    assert.match(build({ ARGS: "--check" }), /libtorch 2\.6\.0 .*remembered/);
  });

  it("is found in the layouts that exist, and nowhere else", (t) => {
    const folder = temporaryFolder(t);
    const put = (name: string, ...rest: [base: string, lib?: string]) => {
      putTorch(join(folder, name, rest[0]), "2.5.0", rest[1] === undefined ? undefined : join(folder, name, rest[1]));
      return libtorchIn(join(folder, name))?.version;
    };
    const layouts: readonly (readonly [string, string?])[] = [
      ["."],
      ["torch"],
      ["libtorch"],
      ["lib/python3.11/site-packages/torch"],
      ["lib/python3.12/dist-packages/torch"],
      ["lib64/python3.13/site-packages/torch"],
      [".", "lib64"],
      [".", "lib/x86_64-linux-gnu"],
      ["lib/python3.11/site-packages/torch", "lib"],
    ];
    for (const [i, layout] of layouts.entries()) assert.equal(put(String(i), ...layout), "2.5.0", layout.join(" "));
    assert.equal(libtorchIn(folder), null);
    rmSync(join(folder, "0/lib"), { recursive: true });
    assert.equal(libtorchIn(join(folder, "0")), null);
  });
});

describe("other systems", () => {
  it("macOS' compiler gets none of GNU's switches, and Linux' does", (t) => {
    const folder = temporaryFolder(t);
    putTorch(folder, "2.6.0");
    writeFileSync(join(folder, "lib/libc10.so"), "");
    const torch = { ...libtorchIn(folder)!, hasCuda: true };
    const args = (platform: string) =>
      compilerArguments(torch, { platform, std: 17, output: "x.node", headers: "/include" }).join(" ");
    const gnu = /-fopenmp|-shared|as-needed|-ldl|_GLIBCXX_USE_CXX11_ABI/g;
    assert.doesNotMatch(args("darwin"), gnu);
    assert.match(args("darwin"), /-bundle -undefined dynamic_lookup .*-Wl,-rpath,/);
    assert.deepEqual(new Set(args("linux").match(gnu)).size, 5);
  });

  it("each is told its own commands", () => {
    const kinds: Readonly<Record<string, string>> = {
      'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"': "debian",
      'ID="rocky"\nID_LIKE="rhel centos fedora"': "fedora",
      "NAME=x\nID=fedora": "fedora",
      "ID=manjaro\nID_LIKE=arch": "arch",
      'ID="opensuse-leap"\nID_LIKE="suse opensuse"': "suse",
      "ID=alpine": "alpine",
      "ID=plan9": "unknown",
    };
    for (const [text, kind] of Object.entries(kinds)) assert.equal(systemKind("linux", text), kind, text);
    assert.equal(systemKind("darwin", ""), "macos");
    const advice = (kind: string) =>
      adviceLines({ kind, needsCompiler: true, needsLibtorch: true, command: "COMMAND" }).join("\n");
    assert.match(
      advice("fedora"),
      /dnf install -y gcc-c\+\+\n.*pip install torch\n.*LIBTORCH=\$PWD\/torch-env COMMAND/,
    );
    assert.match(advice("macos"), /xcode-select --install\n.*pip install torch/);
    assert.doesNotMatch(advice("arch"), /apt-get/);
    assert.doesNotMatch(advice("alpine"), /pip install torch/);
  });
});
