// Where the set-up runs: in a clone of the sources, which it compiles, or in an installed package, which is compiled
// already and whose npm packages are npm's business. Both keep what is built in build/ of their own folder.

import { existsSync } from "node:fs";
import { join } from "node:path";

export function isClone(root) {
  return existsSync(join(root, "tsconfig.json"));
}

/** The one command that sets up what is missing here; --no keeps npx from running a package of that name from a registry. */
export function setupCommand(root) {
  return isClone(root) ? "npm run setup" : "npx --no oppo setup";
}

/** The same with an argument. */
export function setupCommandWith(root, argument) {
  return `${setupCommand(root)}${isClone(root) ? " --" : ""} ${argument}`;
}

export function nativeFolder(root) {
  return process.env.OPPO_NATIVE_DIR ?? join(root, "build", "native");
}
