// Options of the speed scripts: texts with a default, switches, and --help, which says what the script measures.
import { parseArgs } from "node:util";

/** `value` is the word for it in help; without one it is a switch. */
export interface ScriptOption {
  readonly help: string;
  readonly value?: string;
  readonly default?: string;
}

type Read<Options extends Readonly<Record<string, ScriptOption>>> = {
  readonly [Name in keyof Options]: Options[Name] extends { readonly value: string }
    ? Options[Name] extends { readonly default: string }
      ? string
      : string | undefined
    : boolean;
};

const json = { help: "print the result as JSON" };

/**
 * Reads the command line; with --help prints what there is and ends the process.
 * @param script its name after "npm run"; @param options those without help text are for the script's own child processes
 */
export function readOptions<const Options extends Readonly<Record<string, ScriptOption>>>(
  script: string,
  about: string,
  options: Options,
  args: readonly string[] = process.argv.slice(2),
): Read<Options> & { readonly json: boolean } {
  const all: Record<string, ScriptOption> = { ...options, json };
  const parsed = parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean", default: false },
      ...Object.fromEntries(
        Object.entries(all).map(([name, { value, default: standard }]) => [
          name,
          value === undefined
            ? ({ type: "boolean", default: false } as const)
            : { type: "string" as const, ...(standard === undefined ? {} : { default: standard }) },
        ]),
      ),
    },
  });
  if (parsed.values.help === true) {
    console.log(helpText(script, about, all));
    process.exit();
  }
  return parsed.values as unknown as Read<Options> & { readonly json: boolean };
}

export function helpText(script: string, about: string, options: Readonly<Record<string, ScriptOption>>): string {
  const rows = Object.entries(options)
    .filter(([, { help }]) => help !== "")
    .map(([name, { help, value, default: standard }]) => {
      const flag = value === undefined ? `--${name}` : `--${name} <${value}>`;
      return [flag, standard === undefined ? help : `${help} (default: ${standard})`] as const;
    });
  const width = Math.max(...rows.map(([flag]) => flag.length));
  return [
    `Usage: npm run ${script} -- [options]\n`,
    `${about}\n`,
    ...rows.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}`),
  ].join("\n");
}
