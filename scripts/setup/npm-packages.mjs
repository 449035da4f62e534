// The npm part of the set-up: node_modules must hold what package-lock.json names. npm itself leaves a lockfile of what
// it installed inside node_modules, so the two are compared and no stamp of our own can go stale.

import { existsSync, lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand, SetupError } from "./command.mjs";

/** The step for `setup.mjs`. */
export function npmPackagesStep(root) {
  return {
    name: "npm packages",
    check: () => {
      const missing = missingPackages(root);
      if (missing.length === 0) return { found: "as in package-lock.json" };
      const rest = missing.length > 3 ? ` and ${missing.length - 3} more` : "";
      return { missing: `${missing.slice(0, 3).join(", ")}${rest}` };
    },
    apply: (announce) => install(root, announce),
  };
}

function missingPackages(root) {
  const installedPath = join(root, "node_modules/.package-lock.json");
  if (!existsSync(installedPath)) return ["node_modules"];
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const installed = JSON.parse(readFileSync(installedPath, "utf8")).packages;
  return Object.entries(wanted)
    .filter(([path, entry]) => {
      if (path === "") return false;
      const found = installed[path];
      // An optional package that is absent is one for another platform.
      if (found === undefined) return entry.optional !== true;
      return found.version !== entry.version;
    })
    .map(([path]) => path.replace("node_modules/", ""));
}

async function install(root, announce) {
  const folder = join(root, "node_modules");
  if (existsSync(folder) && lstatSync(folder).isSymbolicLink()) {
    throw new SetupError(
      `${folder} is a link and does not hold what package-lock.json names. Run npm ci where it points, or remove the link.`,
    );
  }
  announce("npm ci (about 150 MB to download, 400 MB on disk)");
  // The packages carry their binaries inside; none of them needs its install script, and a script may want the network.
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
  const npm = process.env.npm_execpath;
  const [command, ...rest] = npm?.endsWith(".js") ? [process.execPath, npm, ...args] : ["npm", ...args];
  await runCommand(command, rest, { cwd: root, log: join(root, "build/setup/npm.log"), label: "npm ci" });
}
