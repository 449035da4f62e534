// Makes a bare clone ready: system packages, npm packages, the native addon, the TypeScript build, the studio's page.
// `npm test` and `npm run demo` begin with it, so it does only what is missing and is quick when nothing is. In an
// installed package, where it is `oppo setup`, only the first and the third are left to do. Plain Node 20.
//
//   node scripts/setup.mjs                    do what is missing
//   node scripts/setup.mjs --check            only report; exit code 1 when something is missing
//   node scripts/setup.mjs --forget           look for libtorch anew instead of taking the last one
//   LIBTORCH=DIR node scripts/setup.mjs       take that one, now and from now on
//   OPPO_SKIP_SYSTEM=1 node scripts/setup.mjs never install system packages, only say which are missing

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { SetupError } from "./setup/command.mjs";
import { forgetLibtorch } from "./setup/libtorch.mjs";
import { nativeAddonStep } from "./setup/native-addon.mjs";
import { npmPackagesStep } from "./setup/npm-packages.mjs";
import { isClone } from "./setup/place.mjs";
import { studioPageStep } from "./setup/studio-page.mjs";
import { systemPackagesStep } from "./setup/system-packages.mjs";
import { typescriptStep } from "./setup/typescript.mjs";

const NODE_FLOOR = 20;
const NAME_WIDTH = 16;
const ARGUMENTS = ["--check", "--forget"];

async function main(args) {
  const unknown = args.find((argument) => !ARGUMENTS.includes(argument));
  if (unknown !== undefined)
    throw new SetupError(`unknown argument "${unknown}"; there are ${ARGUMENTS.join(" and ")}.`);
  if (Number(process.versions.node.split(".")[0]) < NODE_FLOOR) {
    throw new SetupError(`expected Node ${NODE_FLOOR} or newer, got ${process.versions.node}. Install a newer Node.`);
  }
  if (process.platform === "win32") {
    throw new SetupError("Windows: expected Linux or macOS. Use WSL: wsl --install, then the same commands inside it.");
  }
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  if (args.includes("--forget") && !args.includes("--check")) forgetLibtorch(root);
  const steps = isClone(root)
    ? [
        systemPackagesStep(root),
        npmPackagesStep(root),
        nativeAddonStep(root),
        typescriptStep(root),
        studioPageStep(root),
      ]
    : [systemPackagesStep(root), nativeAddonStep(root)];
  let numMissing = 0;
  for (const step of steps) {
    if (args.includes("--check")) numMissing += report(step);
    else await ensure(step);
  }
  return numMissing === 0 ? 0 : 1;
}

/** Prints whether the step has something to do; returns how many things are missing. */
function report(step) {
  const start = performance.now();
  const state = step.check();
  print(step.name, state.missing === undefined ? state.found : `missing: ${state.missing}`, start);
  return state.missing === undefined ? 0 : 1;
}

async function ensure(step) {
  const start = performance.now();
  const before = step.check();
  if (before.missing === undefined && !step.always) {
    print(step.name, before.found, start);
    return;
  }
  const announce = (text) => print(step.name, `${text} ...`);
  const lastLine = await step.apply(announce).catch((error) => {
    throw error instanceof SetupError ? new SetupError(`${step.name}: ${error.message}`) : error;
  });
  const after = step.check();
  if (after.missing !== undefined)
    throw new SetupError(`${step.name}: still missing after installing: ${after.missing}.`);
  print(step.name, step.always ? lastLine.replace(`${step.name}: `, "") || after.found : `done: ${after.found}`, start);
}

function print(name, text, start) {
  const time = start === undefined ? "" : `  (${formatTime(performance.now() - start)})`;
  console.log(`set-up  ${name.padEnd(NAME_WIDTH)}${text}${time}`);
}

function formatTime(milliseconds) {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`set-up: ${error.message}`);
  process.exitCode = 1;
}
