// What is thrown for a setting that is unknown, wrong, missing or idle.
import { OppoError } from "../error.ts";

export class ConfigError extends OppoError {
  /** The dotted path of the setting, empty for the whole. */
  readonly path: string;
  /** Nothing was given where something must be. */
  readonly isMissing: boolean;

  constructor(
    path: string,
    message: string,
    options: { cause?: unknown; isMissing?: boolean; isUsage?: boolean } = {},
  ) {
    super(options.isUsage === true ? "ERR_USAGE" : "ERR_CONFIG", message, options);
    this.path = path;
    this.isMissing = options.isMissing ?? false;
  }
}
