// The native part of the set-up: hands over to scripts/build-native.mjs, which knows what the addon depends on, builds
// only when that changed, and prints nothing when it did not.

import { accessSync, constants, existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { runCommand, SetupError } from "./command.mjs";
import { compilerName } from "./compiler.mjs";
import { nativeFolder } from "./place.mjs";

/** The step for `setup.mjs`: asked every time, because only the build itself knows whether it is up to date. */
export function nativeAddonStep(root) {
  return {
    name: "native addon",
    always: true,
    check: () => (hasAddon(root) ? { found: "built" } : { missing: "the addon" }),
    apply: (announce) => {
      requireWritable(root);
      if (!hasAddon(root)) announce(`compiling native/ with ${compilerName()} (half a minute or so)`);
      const script = join(root, "scripts/build-native.mjs");
      return runCommand(process.execPath, [script], {
        cwd: root,
        log: join(root, "build/setup/native.log"),
        label: "native addon",
      });
    },
  };
}

function hasAddon(root) {
  const folder = nativeFolder(root);
  return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith(".node"));
}

/** A package that root installed is root's. */
function requireWritable(root) {
  const folder = join(root, "build");
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch {
    throw new SetupError(
      `${folder}: expected to be allowed to write there, where the addon is kept. Run this with the rights of who installed the package, or install it for yourself.`,
    );
  }
}
