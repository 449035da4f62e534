// commander's parsers for options that are numbers.

import { InvalidArgumentError } from "commander";

/** @throws InvalidArgumentError for anything but digits, which the command line reports as wrong usage. */
export function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected a whole number.");
}

/** As `wholeNumber`, and at least 1. */
export function count(text: string): number {
  const value = wholeNumber(text);
  if (value >= 1) return value;
  throw new InvalidArgumentError("Expected 1 or more.");
}
