// The studio's page: studio/ becomes a few files in build/studio that the server sends, by esbuild, whose binary is inside its npm
// package. Made again when one of its sources, or of the types that it shares with the server, changed.

import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { runCommand } from "./command.mjs";
import { listFiles } from "./typescript.mjs";

const STAMP = "build/studio/.stamp";
const COPIED = ["index.html", "icon.svg"];

/** The step for `setup.mjs`. */
export function studioPageStep(root) {
  return {
    name: "studio page",
    check: () => {
      const stamp = join(root, STAMP);
      if (!existsSync(stamp)) return { missing: "its files" };
      return readFileSync(stamp, "utf8") === fingerprint(root)
        ? { found: "made" }
        : { missing: "files of changed sources" };
    },
    apply: async (announce) => {
      announce("tsc, esbuild");
      const before = fingerprint(root);
      rmSync(join(root, STAMP), { force: true });
      const tsc = join(root, "node_modules/typescript/bin/tsc");
      await runCommand(process.execPath, [tsc, "-p", join(root, "studio"), "--pretty", "false"], {
        cwd: root,
        log: join(root, "build/setup/studio.log"),
        label: "tsc -p studio",
      });
      await bundle(root);
      writeFileSync(join(root, STAMP), before);
    },
  };
}

async function bundle(root) {
  const { build } = await import("esbuild");
  const folder = join(root, "build/studio");
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: ["main.tsx", "app.css"].map((name) => ({ in: join(root, "studio", name), out: "app" })),
    outdir: folder,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "inline",
    logLevel: "silent",
  });
  for (const name of COPIED) copyFileSync(join(root, "studio", name), join(folder, name));
}

function fingerprint(root) {
  const hash = createHash("sha256");
  const packages = ["esbuild", "preact", "uplot"].map((name) => join(root, "node_modules", name, "package.json"));
  const sources = [".tsx", ".ts", ".css", ".html", ".svg", ".json"].flatMap((end) =>
    listFiles(join(root, "studio"), end),
  );
  for (const path of [...packages, join(root, "src/serve/studio/api.ts"), ...sources]) {
    const stats = statSync(path, { throwIfNoEntry: false });
    hash.update(`${relative(root, path)}\0${stats?.size}\0${stats?.mtimeMs}\n`);
  }
  return hash.digest("hex");
}
