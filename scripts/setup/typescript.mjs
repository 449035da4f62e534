// The TypeScript part of the set-up: compiles when a source changed since the last good build, which is told by a stamp
// of names, sizes and times (0.02 s instead of the 0.5 s that even an idle compiler takes). Compiled files whose source
// is gone are removed first: a deleted test must not run on.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { runCommand } from "./command.mjs";

const SOURCE_FOLDERS = ["src", "test", "speed"];
const STAMP = "build/js/.stamp";
const BUILD_INFO = "build/js/.tsbuildinfo";

/** The step for `setup.mjs`. */
export function typescriptStep(root) {
  return {
    name: "TypeScript",
    check: () => {
      const stamp = join(root, STAMP);
      if (!existsSync(stamp)) return { missing: "compiled files" };
      return readFileSync(stamp, "utf8") === fingerprint(root)
        ? { found: "compiled" }
        : { missing: "compiled files of changed sources" };
    },
    apply: async (announce) => {
      announce("tsc");
      // Taken before compiling: a source that changes meanwhile is compiled again next time.
      const before = fingerprint(root);
      const stamp = join(root, STAMP);
      rmSync(stamp, { force: true });
      removeStale(root);
      const isFresh = !existsSync(join(root, BUILD_INFO));
      // What the compiler kept of the last build can make it see faults that are none (7.0: types of other files); then all anew.
      await compile(root).catch((failure) => {
        if (isFresh) throw failure;
        rmSync(join(root, BUILD_INFO), { force: true });
        return compile(root);
      });
      mkdirSync(dirname(stamp), { recursive: true });
      writeFileSync(stamp, before);
    },
  };
}

function compile(root) {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  return runCommand(process.execPath, [tsc, "-p", root, "--pretty", "false"], {
    cwd: root,
    log: join(root, "build/setup/tsc.log"),
    label: "tsc",
  });
}

function fingerprint(root) {
  const hash = createHash("sha256");
  const settings = ["tsconfig.json", "package.json", "node_modules/typescript/package.json"].map((name) =>
    join(root, name),
  );
  const sources = SOURCE_FOLDERS.flatMap((folder) => listFiles(join(root, folder), ".ts"));
  for (const path of [...settings, ...sources]) {
    const stats = statSync(path, { throwIfNoEntry: false });
    hash.update(`${relative(root, path)}\0${stats?.size}\0${stats?.mtimeMs}\n`);
  }
  return hash.digest("hex");
}

function removeStale(root) {
  for (const folder of SOURCE_FOLDERS) {
    const compiled = join(root, "build/js", folder);
    for (const path of [...listFiles(compiled, ".js"), ...listFiles(compiled, ".js.map")]) {
      const source = join(root, folder, relative(compiled, path).replace(/\.js(\.map)?$/, ".ts"));
      if (!existsSync(source)) rmSync(path);
    }
  }
}

/** Every file below `folder` whose name ends so, sorted; empty when there is no such folder. */
export function listFiles(folder, ending) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .sort((left, right) => (left.name < right.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return listFiles(path, ending);
      return entry.name.endsWith(ending) ? [path] : [];
    });
}
