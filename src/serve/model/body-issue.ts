// The first thing that is wrong with a request's body, as one sentence that names the field, what it may be and what came.
// Of values that are one of several forms, the form that fits furthest is meant. Texts of a request are not quoted.
import type { z } from "zod";
import { fieldError, type HttpError, unsupported } from "../http/http-error.ts";

type Issue = z.core.$ZodIssue;

const longestName = 30;

/** @param body what was checked */
export function issueError(issue: Issue, body: unknown): HttpError {
  const meant = innermost(issue, []);
  if (meant.issue.code === "unrecognized_keys") {
    const name = String(meant.issue.keys[0]).slice(0, 60);
    return unsupported(name, "expected a field that this server knows, got this one. Leave it out.");
  }
  const field = meant.path.map(String).join(".") || "body";
  const value = meant.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], body);
  return fieldError(field, expectedOf(meant.issue), gotOf(meant.issue, value), "docs/serving.md has the fields.");
}

/** Down to the issue of the form that fits furthest; paths within a form begin at the field that may have it. */
function innermost(issue: Issue, before: readonly PropertyKey[]): { issue: Issue; path: readonly PropertyKey[] } {
  const path = [...before, ...issue.path];
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return { issue, path };
  const forms = issue.errors.flatMap(([first]) => (first === undefined ? [] : innermost(first, path)));
  const deepest = forms.reduce((best, form) => (form.path.length > best.path.length ? form : best));
  return deepest.path.length > path.length ? deepest : { issue, path };
}

function expectedOf(issue: Issue): string {
  switch (issue.code) {
    case "invalid_value":
      return oneOf(issue.values);
    case "invalid_type":
      return `${issue.expected === "array" ? "a list" : issue.expected === "int" ? "a whole number" : `a ${issue.expected}`}`;
    case "invalid_union":
      return unionOf(issue);
    case "too_small":
    case "too_big": {
      const bound = issue.code === "too_small" ? issue.minimum : issue.maximum;
      const side = issue.code === "too_small" ? (issue.inclusive ? "at least" : "more than") : "at most";
      const unit = { string: " characters", array: " entries" }[issue.origin as string] ?? "";
      return `${side} ${bound}${unit}`;
    }
    default:
      return issue.message.slice(0, 200);
  }
}

function unionOf(issue: Extract<Issue, { code: "invalid_union" }>): string {
  const options = (issue as { options?: readonly unknown[] }).options;
  if (options !== undefined) return oneOf(options);
  const forms = issue.errors.flatMap(([first]) => (first === undefined ? [] : [expectedOf(first)]));
  return [...new Set(forms)].join(" or ");
}

function oneOf(values: readonly unknown[]): string {
  const shown = values.map((value) => JSON.stringify(value));
  return shown.length === 1 ? shown[0]! : `${shown.slice(0, -1).join(", ")} or ${shown.at(-1)}`;
}

/** A word where one of several was wanted, a length or number where it is out of bounds, else what kind of thing it is. */
function gotOf(issue: Issue, value: unknown): string {
  if (value === undefined) return "none";
  const isName = issue.code === "invalid_value" || "options" in issue;
  if (typeof value === "string" && isName) return JSON.stringify(value.slice(0, longestName));
  if (issue.code === "too_small" || issue.code === "too_big") {
    return typeof value === "number" ? String(value) : String((value as { length?: number }).length ?? "another");
  }
  if (value === null) return "null";
  if (typeof value === "number") return String(value);
  return Array.isArray(value) ? "a list" : typeof value === "object" ? "an object" : `a ${typeof value}`;
}
