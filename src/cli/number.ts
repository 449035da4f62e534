// commander's parsers for options that are numbers, and for one that is an object.

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

/** The fields of a JSON object. @throws InvalidArgumentError for anything else */
export function jsonObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown = null;
  try {
    value = JSON.parse(text);
  } catch {
    // The message below says what was expected.
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new InvalidArgumentError("Expected a JSON object.");
}
