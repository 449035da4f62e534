// Which files of conversations a path stands for: one file, a brace pattern `dir/{a,b}.json`, or a YAML list of files with how
// much of each is taken (`all`, `first:N`, `end:N`, `random:N`, N a number of rows or a percentage).
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { createRandom, permutation } from "../../random.ts";
import { deriveSeed } from "../../seeds.ts";
import { DatasetError } from "../jsonl.ts";

export interface ListedFile {
  readonly file: string;
  readonly take: Take;
}

export type Take =
  | { readonly from: "all" }
  | { readonly from: "first" | "end" | "random"; readonly amount: number; readonly isPercent: boolean };

const strategy = /^(first|end|random):(\d+)(%?)$/;
const listSchema = z.object({
  datasets: z
    .array(
      z.object({
        json_path: z.string().min(1),
        sampling_strategy: z
          .string()
          .refine(
            (text) => text === "all" || takeOf(text) !== null,
            "expected all, first:N, end:N or random:N (N or N%)",
          )
          .default("all"),
      }),
    )
    .min(1),
});
const maxListBytes = 1_000_000;
const percent = 100;

function takeOf(text: string): Take | null {
  if (text === "all") return { from: "all" };
  const match = strategy.exec(text.replaceAll(/\s/g, ""));
  if (match === null) return null;
  const [, from, digits, sign] = match;
  const amount = Number(digits);
  const isPercent = sign === "%";
  if (isPercent && amount > percent) return null;
  return { from: from as "first" | "end" | "random", amount, isPercent };
}

/** @throws DatasetError ERR_DATASET_UNREADABLE */
export function listedFiles(path: string): ListedFile[] {
  const whole: Take = { from: "all" };
  const braces = /^([^{}]*)\{([^{}]+)\}([^{}]*)$/.exec(path);
  if (braces !== null && !existsSync(path)) {
    const [, start, names, end] = braces;
    return names!.split(",").map((name) => ({ file: `${start}${name.trim()}${end}`, take: whole }));
  }
  return isList(path) ? readList(path) : [{ file: path, take: whole }];
}

export function isList(path: string): boolean {
  return [".yaml", ".yml"].includes(extname(path).toLowerCase());
}

function readList(path: string): ListedFile[] {
  let value: unknown;
  try {
    if (statSync(path).size > maxListBytes) throw new Error(`more than ${maxListBytes} bytes`);
    value = parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw unreadable(path, `a readable YAML list of files`, String((cause as Error).message), cause);
  }
  const checked = listSchema.safeParse(value);
  if (!checked.success) {
    const { path: at, message } = checked.error.issues[0]!;
    throw unreadable(path, "datasets: [{ json_path, sampling_strategy }]", `${at.join(".") || "file"}: ${message}`);
  }
  return checked.data.datasets.map(({ json_path, sampling_strategy }) => {
    if (![".json", ".jsonl"].includes(extname(json_path).toLowerCase())) {
      throw unreadable(path, "a json_path that ends in .json or .jsonl", JSON.stringify(json_path.slice(0, 80)));
    }
    return { file: resolve(dirname(path), json_path), take: takeOf(sampling_strategy)! };
  });
}

function unreadable(file: string, expected: string, got: string, cause?: unknown): DatasetError {
  const message = `${file}: expected ${expected}, got ${got}. Repair the list.`;
  return new DatasetError("ERR_DATASET_UNREADABLE", message, { file, cause });
}

/** What a strategy takes of rows; `random` draws by the seed and keeps the draw's order. */
export function taken<T>(rows: readonly T[], take: Take, seed: number, file: string): readonly T[] {
  if (take.from === "all") return rows;
  const count = take.isPercent ? Math.ceil((take.amount * rows.length) / percent) : take.amount;
  if (take.from === "first") return rows.slice(0, count);
  if (take.from === "end") return rows.slice(Math.max(0, rows.length - count));
  const order = permutation(rows.length, createRandom(deriveSeed(seed, "sampling", file)));
  return order.slice(0, count).map((at) => rows[at]!);
}
