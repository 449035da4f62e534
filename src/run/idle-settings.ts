// Settings that have no effect under the other ones. Whoever gives one believes that it does something, so it is an error.
import { ConfigError } from "./config-error.ts";

/** Which settings are idle, and when; stands beside a schema. */
export interface IdleRule<Config> {
  /** Dotted; one that names a group stands for all that it holds. */
  readonly paths: readonly string[];
  readonly when: (config: Config) => boolean;
  /** Ends the sentence "... has no effect: ". */
  readonly why: string;
}

/** @param given what a person gave, and where: `--set perception.maskRatio=0.7` @throws ConfigError */
export function rejectIdle<Config>(
  config: Config,
  given: ReadonlyMap<string, string>,
  rules: readonly IdleRule<Config>[],
): void {
  for (const { paths, when, why } of rules) {
    if (!when(config)) continue;
    for (const [path, origin] of given) {
      if (!paths.some((idle) => path === idle || path.startsWith(`${idle}.`))) continue;
      const named = origin.includes(path) || origin.startsWith("--") ? origin : `${origin}: ${path}`;
      throw new ConfigError(path, `${named} has no effect: ${why}. Leave it out, or change that.`);
    }
  }
}
