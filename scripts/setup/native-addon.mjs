// The native part of the set-up: hands over to scripts/build-native.mjs, which knows what the addon depends on, builds
// only when that changed, and prints nothing when it did not.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "./command.mjs";

/** The step for `setup.mjs`: asked every time, because only the build itself knows whether it is up to date. */
export function nativeAddonStep(root) {
  return {
    name: "native addon",
    always: true,
    check: () => (hasAddon(root) ? { found: "built" } : { missing: "the addon" }),
    apply: (announce) => {
      if (!hasAddon(root)) announce("compiling native/ with g++ (half a minute or so)");
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
  const folder = join(root, "build/native");
  return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith(".node"));
}
