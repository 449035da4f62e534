// Native helpers of tests: one C++ file beside this one, compiled once against the libtorch that the project's addon uses.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("../../../../", import.meta.url));

/** Compiles `test/support/NAME.cc` unless that was done. @returns the addon's path */
export async function buildTestAddon(name: string): Promise<string> {
  const source = readFileSync(join(root, "test", "support", `${name}.cc`), "utf8");
  const script = (path: string) => import(pathToFileURL(join(root, "scripts", "setup", path)).href);
  const { compilerArguments, compilerName } = await script("compiler.mjs");
  const { findLibtorch, libtorchText } = await script("libtorch.mjs");
  const libtorch = findLibtorch(root);
  const hash = createHash("sha256").update(source).update(libtorchText(libtorch)).digest("hex").slice(0, 16);
  const folder = join(root, "build", "test-addons");
  const output = join(folder, `${name}-${hash}.node`);
  if (existsSync(output)) return output;
  mkdirSync(folder, { recursive: true });
  const headers = join(dirname(createRequire(import.meta.url).resolve("node-api-headers")), "include");
  const temporary = `${output}.${process.pid}`;
  const failures: string[] = [];
  for (const std of [17, 20]) {
    const args: string[] = compilerArguments(libtorch, { std, output: temporary, headers });
    const { status, stderr } = spawnSync(compilerName(), args, { input: source, encoding: "utf8" });
    if (status === 0) {
      renameSync(temporary, output);
      return output;
    }
    failures.push(stderr);
  }
  throw new Error(`${name}.cc does not compile:\n${failures.join("\n")}`);
}

/** Loads an addon into this process. */
export function loadTestAddon<T>(path: string): T {
  return createRequire(import.meta.url)(path) as T;
}
