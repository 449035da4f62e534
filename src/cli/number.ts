// commander's parser for an option that is a count.

import { InvalidArgumentError } from "commander";

/** @throws InvalidArgumentError for anything but digits, which the command line reports as wrong usage. */
export function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected a whole number.");
}
