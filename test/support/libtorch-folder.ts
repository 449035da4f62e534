// A folder that looks like a libtorch to the set-up: its version's header and its libraries, without what is in them.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const ending = process.platform === "darwin" ? ".dylib" : ".so";

/** Example: `putTorch("/tmp/x", "2.6.1")`; the libraries lie in `lib`, which may be another folder's. */
export function putTorch(folder: string, version: string, lib = join(folder, "lib")): void {
  const header = join(folder, "include/torch/csrc/api/include/torch/version.h");
  mkdirSync(dirname(header), { recursive: true });
  mkdirSync(lib, { recursive: true });
  const numbers = version.split(".");
  const lines = ["MAJOR", "MINOR", "PATCH"].map((name, i) => `#define TORCH_VERSION_${name} ${numbers[i]}\n`);
  writeFileSync(header, lines.join(""));
  for (const name of ["torch_cpu", "c10"]) writeFileSync(join(lib, `lib${name}${ending}`), "");
}
