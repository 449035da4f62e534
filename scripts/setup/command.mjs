// Runs one outside command for the set-up: its output goes to a log, its last line to the terminal while it runs,
// and its tail into the error when it fails. Plain Node, no dependency: this runs before anything is installed.

import { spawn } from "node:child_process";
import { accessSync, appendFileSync, constants, mkdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

/** What a person has to know to go on; printed as it is, without a stack. */
export class SetupError extends Error {}

const TAIL_LINES = 15;

/**
 * Runs `command` to its end and returns its last line. `inherit` lets it ask questions on the terminal (a password).
 * @throws SetupError with the tail of its output when it fails.
 */
export async function runCommand(command, args, { cwd, env, log, inherit = false, label = command }) {
  mkdirSync(dirname(log), { recursive: true });
  appendFileSync(log, `\n$ ${command} ${args.join(" ")}\n`);
  const lines = [];
  const { code, signal } = await new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: env ?? process.env,
      stdio: inherit ? "inherit" : ["ignore", "pipe", "pipe"],
    });
    const take = (chunk) => {
      appendFileSync(log, chunk);
      for (const line of chunk.toString("utf8").split(/[\r\n]+/)) {
        if (line.trim() !== "") lines.push(line.trimEnd());
      }
      lines.splice(0, Math.max(0, lines.length - TAIL_LINES));
      showLive(lines.at(-1) ?? "");
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    child.on("error", reject);
    child.on("close", (exitCode, exitSignal) => resolve({ code: exitCode, signal: exitSignal }));
  }).catch((error) => {
    throw new SetupError(`${label}: could not be started (${error.message}).`);
  });
  showLive("");
  if (code === 0) return lines.at(-1) ?? "";
  const tail = lines.length > 0 ? `\n${lines.map((line) => `    ${line}`).join("\n")}` : "";
  throw new SetupError(`${label}: ended with ${signal ?? `exit code ${code}`}. The whole output is in ${log}.${tail}`);
}

/** One line that is overwritten while a command runs; nothing where the output is not a terminal. */
function showLive(text) {
  if (!process.stdout.isTTY) return;
  const width = Math.max(20, (process.stdout.columns ?? 80) - 6);
  process.stdout.write(text === "" ? "\r\x1b[2K" : `\r\x1b[2K  | ${text.slice(0, width)}`);
}

/** The path of an executable, or null. Looks the name up by itself: starting `which` costs more than the whole check. */
export function findExecutable(name) {
  const folders = name.includes("/")
    ? [""]
    : (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder: the next one decides.
    }
  }
  return null;
}
