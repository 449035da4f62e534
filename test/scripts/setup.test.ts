// The set-up script, run as a person runs it: against this tree, and against small made-up trees whose tools are fakes.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { putTorch } from "../support/libtorch-folder.ts";
import { repositoryRoot } from "../support/repository.ts";

const QUICK_MILLISECONDS = 1500;

/** A tree with the real scripts, one source file, and fakes of the compiler and the native build. */
function makeTree(t: { after(clean: () => void): void }): { root: string; bin: string } {
  const root = mkdtempSync(join(tmpdir(), "oppo-setup-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  cpSync(join(repositoryRoot, "scripts/setup"), join(root, "scripts/setup"), { recursive: true });
  cpSync(join(repositoryRoot, "scripts/setup.mjs"), join(root, "scripts/setup.mjs"));
  const bin = join(root, "bin");
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  put("package.json", "{}");
  put("package-lock.json", JSON.stringify({ packages: { "": {}, "node_modules/a": { version: "1.0.0" } } }));
  put("node_modules/.package-lock.json", JSON.stringify({ packages: { "node_modules/a": { version: "1.0.0" } } }));
  put("tsconfig.json", "{}");
  put("src/a.ts", "export {};\n");
  putTorch(join(root, "torch"), "2.6.1");
  put(
    "node_modules/typescript/bin/tsc",
    `const fs = require("node:fs"); const path = require("node:path"); const root = process.argv[3];
     fs.mkdirSync(path.join(root, "build/js/src"), { recursive: true });
     fs.writeFileSync(path.join(root, "build/js/src/a.js"), "");
     fs.appendFileSync(path.join(root, "compiles"), "1");`,
  );
  put("studio/index.html", "<p>page</p>");
  put("studio/icon.svg", "<svg></svg>");
  put(
    "node_modules/esbuild/index.js",
    `exports.build = async ({ outdir }) => require("node:fs").writeFileSync(outdir + "/app.js", "");`,
  );
  put(
    "scripts/build-native.mjs",
    `import { mkdirSync, writeFileSync } from "node:fs";
     mkdirSync("build/native", { recursive: true }); writeFileSync("build/native/x.node", ""); console.log("addon is up to date");`,
  );
  put("bin/g++", "#!/bin/sh\nexit 0\n");
  chmodSync(join(bin, "g++"), 0o755);
  return { root, bin };
}

function setup(root: string, environment: Record<string, string>, ...args: string[]) {
  const result = spawnSync(process.execPath, [join(root, "scripts/setup.mjs"), ...args], {
    cwd: root,
    encoding: "utf8",
    env: { PATH: process.env.PATH ?? "", LIBTORCH: join(root, "torch"), ...environment },
  });
  return { status: result.status, text: result.stdout + result.stderr, errors: result.stderr };
}

describe("scripts/setup.mjs", () => {
  it("compiles all anew where what is kept of the last build makes the compiler fail, and fails where it fails all the same", (t) => {
    const { root, bin } = makeTree(t);
    const environment = { PATH: bin };
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    const kept = join(root, "build/js/.tsbuildinfo");
    mkdirSync(dirname(kept), { recursive: true });
    writeFileSync(kept, "{}");
    const plain = readFileSync(compiler, "utf8");
    writeFileSync(compiler, `if (require("node:fs").existsSync(${JSON.stringify(kept)})) process.exit(2);\n${plain}`);
    const { status, text } = setup(root, environment);
    assert.equal(status, 0, text);
    assert.equal(readFileSync(join(root, "compiles"), "utf8"), "1");
    writeFileSync(compiler, "process.exit(2);");
    writeFileSync(kept, "{}");
    rmSync(join(root, "build/js/.stamp"));
    assert.notEqual(setup(root, environment).status, 0);
  });

  it("compiles once, then finds nothing to do, then compiles again when a source changed", (t) => {
    const { root, bin } = makeTree(t);
    const environment = { PATH: bin };
    const compiles = (): number => readFileSync(join(root, "compiles"), "utf8").length;
    const first = setup(root, environment);
    assert.equal(first.status, 0, first.text);
    assert.match(first.text, /TypeScript +done: compiled/);
    assert.match(first.text, /native addon +addon is up to date/);
    assert.equal(compiles(), 1);
    assert.match(first.text, /studio page +done: made/);
    assert.equal(readFileSync(join(root, "build/studio/index.html"), "utf8"), "<p>page</p>");
    const second = setup(root, environment);
    assert.equal(second.status, 0, second.text);
    assert.equal(compiles(), 1);
    writeFileSync(join(root, "src/b.ts"), "export {};\n");
    assert.equal(setup(root, environment).status, 0);
    assert.equal(compiles(), 2);
    writeFileSync(join(root, "studio/index.html"), "<p>another</p>");
    assert.match(setup(root, environment).text, /studio page +done: made/);
    assert.equal(readFileSync(join(root, "build/studio/index.html"), "utf8"), "<p>another</p>");
  });

  it("removes compiled files whose source is gone and keeps the others", (t) => {
    const { root, bin } = makeTree(t);
    mkdirSync(join(root, "build/js/src/old"), { recursive: true });
    for (const name of ["old/gone.js", "old/gone.js.map", "a.js.map"])
      writeFileSync(join(root, "build/js/src", name), "");
    assert.equal(setup(root, { PATH: bin }).status, 0);
    assert.equal(existsSync(join(root, "build/js/src/old/gone.js")), false);
    assert.equal(existsSync(join(root, "build/js/src/old/gone.js.map")), false);
    assert.equal(existsSync(join(root, "build/js/src/a.js.map")), true);
  });

  it("--check changes nothing and its exit code tells", (t) => {
    const { root, bin } = makeTree(t);
    const before = setup(root, { PATH: bin }, "--check");
    assert.equal(before.status, 1);
    assert.match(before.text, /TypeScript +missing: compiled files/);
    assert.equal(existsSync(join(root, "compiles")), false);
    assert.equal(setup(root, { PATH: bin }).status, 0);
    assert.equal(setup(root, { PATH: bin }, "--check").status, 0);
  });

  it("installs what the system lacks through apt-get, and updates its lists when they turn out to be stale", (t) => {
    const { root } = makeTree(t);
    const bin = join(root, "bin-without-compiler");
    mkdirSync(bin);
    const script = (name: string, text: string): void =>
      writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    script("env", `shift; exec "$@"`);
    script("sudo", `[ "$1" = -n ] && shift; exec "$@"`);
    script("true", "exit 0");
    script(
      "apt-get",
      `echo "$@" >> ${root}/apt
       case "$*" in *update*) : > ${root}/updated;; esac
       case "$*" in *install*)
         [ -f ${root}/updated ] || exit 100
         printf '#!/bin/sh\\n' > ${bin}/g++; /bin/chmod +x ${bin}/g++;;
       esac`,
    );
    const result = setup(root, { PATH: bin });
    assert.equal(result.status, 0, result.text);
    assert.match(readFileSync(join(root, "apt"), "utf8"), /update\n.*install -y --no-install-recommends g\+\+\n$/);
    assert.match(result.text, /system packages +installing g\+\+/);
  });

  it("prints the exact command where it cannot install", (t) => {
    const { root } = makeTree(t);
    const bare = setup(root, { PATH: "/nowhere" });
    assert.equal(bare.status, 1);
    assert.match(bare.errors, /^set-up: system packages: missing: g\+\+ .*\n +a C\+\+ compiler: \S/);
    const bin = join(root, "bin-with-apt");
    mkdirSync(bin);
    writeFileSync(join(bin, "apt-get"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    const skipped = setup(root, { PATH: bin, OPPO_SKIP_SYSTEM: "1" });
    assert.equal(skipped.status, 1);
    assert.match(skipped.errors, /^set-up: system packages: missing: g\+\+; nothing was installed/);
    assert.match(skipped.errors, /sudo apt-get update && sudo apt-get install -y g\+\+\n$/);
  });

  it("says what is wrong with LIBTORCH, with the compiler's output, and with an unknown argument", (t) => {
    const { root, bin } = makeTree(t);
    assert.match(
      setup(root, { LIBTORCH: "/nowhere" }).errors,
      /LIBTORCH: expected a folder with include\/torch and lib\/libtorch_cpu\.\w+, or .*, got "\/nowhere"/,
    );
    assert.match(setup(root, {}, "--force").errors, /unknown argument "--force"; there are --check and --forget/);
    writeFileSync(
      join(root, "node_modules/typescript/bin/tsc"),
      `console.log("src/a.ts(1,1): error TS1: no"); process.exit(2);`,
    );
    const failed = setup(root, { PATH: bin });
    assert.equal(failed.status, 1);
    assert.match(failed.errors, /TypeScript: tsc: ended with exit code 2.*\n +src\/a\.ts\(1,1\): error TS1: no/);
    assert.equal(existsSync(join(root, "build/js/.stamp")), false);
  });

  it("leaves a linked node_modules alone", (t) => {
    const { root, bin } = makeTree(t);
    const elsewhere = join(root, "elsewhere");
    cpSync(join(root, "node_modules"), elsewhere, { recursive: true });
    rmSync(join(root, "node_modules"), { recursive: true });
    spawnSync("ln", ["-s", elsewhere, join(root, "node_modules")]);
    writeFileSync(
      join(root, "package-lock.json"),
      JSON.stringify({ packages: { "node_modules/a": { version: "2.0.0" } } }),
    );
    const result = setup(root, { PATH: bin });
    assert.equal(result.status, 1);
    assert.match(result.errors, /npm packages: .*node_modules is a link/);
    assert.equal(existsSync(join(elsewhere, ".package-lock.json")), true);
  });

  it("is quick on a tree that is ready", () => {
    const start = performance.now();
    const result = spawnSync(process.execPath, [join(repositoryRoot, "scripts/setup.mjs"), "--check"], {
      encoding: "utf8",
    });
    assert.match(result.stdout, /npm packages +as in package-lock.json/);
    assert.ok(performance.now() - start < QUICK_MILLISECONDS, result.stdout);
  });

  it("finds every package for every platform in the lockfile, without which npm ci refuses to start", () => {
    const lock = JSON.parse(readFileSync(join(repositoryRoot, "package-lock.json"), "utf8")) as {
      packages: Record<string, { dependencies?: object; optionalDependencies?: object }>;
    };
    let numNames = 0;
    for (const [path, entry] of Object.entries(lock.packages)) {
      for (const name of Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })) {
        numNames++;
        const places = [`node_modules/${name}`, `${path}/node_modules/${name}`];
        assert.ok(
          places.some((place) => lock.packages[place] !== undefined),
          `${name}, which ${path || "package.json"} names, is not in the lockfile`,
        );
      }
    }
    assert.ok(numNames > 100, String(numNames));
  });

  it("knows of every package in the lockfile what it must be, and not from which host", () => {
    const text = readFileSync(join(repositoryRoot, "package-lock.json"), "utf8");
    assert.deepEqual(lockFaults(text), []);
    const lock = JSON.parse(text) as { packages: Record<string, { integrity?: string; resolved?: string }> };
    const [first, second] = Object.keys(lock.packages).filter((path) => path !== "");
    delete lock.packages[first!]!.integrity;
    lock.packages[second!]!.resolved = "https://registry.example/x.tgz";
    assert.deepEqual(lockFaults(JSON.stringify(lock)), [`${first}: no integrity`, `${second}: a host`]);
  });
});

/** A funding address is no place that anything is fetched from. */
function lockFaults(text: string): string[] {
  const { packages } = JSON.parse(text) as { packages: Record<string, { integrity?: string; resolved?: string }> };
  return Object.entries(packages).flatMap(([path, { integrity, resolved }]) => [
    ...(path === "" || integrity?.startsWith("sha512-") ? [] : [`${path}: no integrity`]),
    ...(resolved === undefined ? [] : [`${path}: a host`]),
  ]);
}
