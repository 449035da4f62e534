// The bodies that trainers send, each turned into items to score: our own shape, the columns of TRL and ms-swift, the
// arguments of verl's compute_score, and OpenRLHF's remote reward model.
import { lastTurn, replyText, withoutLeadingPadding } from "../../text/special-tokens.ts";
import { fieldError, HttpError } from "../http/http-error.ts";
import { completionText, promptOpensThinking, withReasoning } from "./completion.ts";
import { type Corpus, type GivenReference, kindOf, readReference } from "./reference.ts";
import type { RewardItem } from "./reward-scorer.ts";

export interface RewardRequest {
  readonly items: readonly RewardItem[];
  readonly hasDetails: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

const maxItems = 4096;
const maxCompletionLength = 65536;

/** `{ items: [{ completion, sample | cues and labels, truncated }], details }` */
export function readNative(body: unknown, corpus: Corpus | null): RewardRequest {
  const { items, details } = fieldsOf(body, "body");
  const rows = listOf(items, "items");
  return {
    items: rows.map((row, i) => {
      const fields = fieldsOf(row, `items.${i}`);
      const { completion, truncated, prompt } = fields;
      return itemOf({ completion, truncated, prompt, beside: fields, reference: fields }, `items.${i}`, corpus);
    }),
    hasDetails: flagOf(details, "details"),
  };
}

/** Keyword arguments of a reward function: completions and the data set's columns, a list each (TRL, ms-swift). */
export function readColumns(body: unknown, corpus: Corpus | null): RewardRequest {
  const columns = fieldsOf(body, "body");
  const completions = listOf(columns.completions, "completions");
  const column = (...names: readonly string[]): readonly unknown[] | null => {
    const name = names.find((one) => columns[one] !== undefined && columns[one] !== null);
    if (name === undefined) return null;
    const values = listOf(columns[name], name);
    if (values.length === completions.length) return values;
    throw fieldError(
      name,
      `${completions.length} values, one per completion`,
      String(values.length),
      "Send whole columns.",
    );
  };
  const samples = column("sample_id", "sample", "id");
  const cues = column("cues");
  const labels = column("labels", "solution", "ground_truth");
  const truncated = column("truncated", "is_truncated");
  const prompts = column("prompts", "prompt", "messages");
  return {
    items: completions.map((completion, i) => {
      const reference = { sample: samples?.[i], cues: fromText(cues?.[i]), labels: labels?.[i] };
      const given = { completion, truncated: truncated?.[i], prompt: prompts?.[i], reference };
      return itemOf(given, `completions.${i}`, corpus);
    }),
    hasDetails: flagOf(columns.details, "details"),
  };
}

/** Arguments of compute_score, one row or (in the plural) many. */
export function readVerl(body: unknown, corpus: Corpus | null): RewardRequest & { readonly isSingle: boolean } {
  const fields = fieldsOf(body, "body");
  const isSingle = fields.solution_strs === undefined;
  const column = (name: string): readonly unknown[] => {
    const value = isSingle ? [fields[name]] : (fields[`${name}s`] ?? []);
    return listOf(value, isSingle ? name : `${name}s`);
  };
  const [solutions, truths, extras] = [column("solution_str"), column("ground_truth"), column("extra_info")];
  const prompts = isSingle ? [fields.prompt_str ?? fields.prompt] : promptColumn(fields);
  const items = solutions.map((solution, i) => {
    const where = isSingle ? "solution_str" : `solution_strs.${i}`;
    const extra = isGiven(extras[i]) ? fieldsOf(extras[i], "extra_info") : {};
    const truth = truthOf(truths[i]);
    const reference = {
      sample: extra.sample_id ?? extra.sample ?? truth.sample,
      cues: fromText(extra.cues) ?? truth.cues,
      labels: extra.labels ?? truth.labels,
    };
    const prompt = prompts[i] ?? extra.prompt_str ?? extra.prompt;
    return itemOf(
      { completion: solution, truncated: extra.truncated, prompt, beside: extra, reference },
      where,
      corpus,
    );
  });
  return { items, hasDetails: false, isSingle };
}

function promptColumn(fields: Fields): readonly unknown[] {
  const name = ["prompt_strs", "prompts"].find((one) => isGiven(fields[one]));
  return name === undefined ? [] : listOf(fields[name], name);
}

/** `{ query, prompts, labels }`: a query is the prompt with the response, a label a sample's id or a JSON object. */
export function readOpenRlhf(body: unknown, corpus: Corpus | null): RewardRequest {
  const fields = fieldsOf(body, "body");
  const queries = listOf(fields.query, "query");
  const prompts = isGiven(fields.prompts) ? listOf(fields.prompts, "prompts") : [];
  const labels = listOf(fields.labels, "labels");
  if (labels.length !== queries.length) {
    throw fieldError("labels", `${queries.length} values, one per query`, String(labels.length), "Send one per query.");
  }
  return {
    items: queries.map((query, i) => {
      const { completion, prompt } = responseIn(query, prompts[i], i);
      return itemOf({ completion, prompt, reference: labelReference(labels[i], corpus) }, `query.${i}`, corpus);
    }),
    hasDetails: false,
  };
}

/** A text that is JSON stands for its value: data set columns are often texts. */
function fromText(value: unknown): unknown {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    // It is taken as it is, and refused there.
    return value;
  }
}

/** verl's ground_truth: labels, or an object with what our own shape has. */
function truthOf(value: unknown): GivenReference {
  const read = fromText(value);
  if (typeof read === "object" && read !== null && !Array.isArray(read)) return read as GivenReference;
  return { labels: Array.isArray(read) ? read : value };
}

function labelReference(label: unknown, corpus: Corpus | null): GivenReference {
  const read = fromText(label);
  if (typeof read === "object" && read !== null && !Array.isArray(read)) return read as GivenReference;
  return corpus === null ? { labels: label } : { sample: label };
}

/** What follows the prompt in a query; the prompt where it is not the query that shows how it ends. */
function responseIn(query: unknown, prompt: unknown, index: number): { completion: string; prompt?: string } {
  if (typeof query !== "string") throw fieldError(`query.${index}`, "a text", kindOf(query), "Send texts.");
  if (isGiven(prompt) && typeof prompt !== "string") {
    throw fieldError(`prompts.${index}`, "a text", kindOf(prompt), "Send prompts as they are in the queries.");
  }
  const rest = typeof prompt === "string" && prompt !== "" ? afterPrompt(query, prompt) : null;
  if (rest !== null) return { completion: replyText(rest), prompt: prompt as string };
  const turn = lastTurn(query);
  if (turn !== null) return { completion: replyText(turn) };
  throw new HttpError(
    400,
    "ERR_REWARD_QUERY",
    `query.${index}: expected the prompt with the response behind it, got a text that does not begin with the prompt. Send prompts as they are in the queries.`,
    { param: `query.${index}` },
  );
}

/** A batch may be padded on the left, and one of the two may have been decoded without its begin token. */
function afterPrompt(query: string, prompt: string): string | null {
  if (query.startsWith(prompt)) return query.slice(prompt.length);
  const [bare, bareQuery] = [withoutLeadingPadding(prompt), withoutLeadingPadding(query)];
  return bare !== "" && bareQuery.startsWith(bare) ? bareQuery.slice(bare.length) : null;
}

interface GivenItem {
  readonly completion: unknown;
  readonly truncated?: unknown;
  /** null: not sent. */
  readonly prompt?: unknown;
  /** Where reasoning may stand beside the completion. */
  readonly beside?: Fields;
  readonly reference: GivenReference;
}

function itemOf(given: GivenItem, where: string, corpus: Corpus | null): RewardItem {
  const text = completionText(given.completion, where);
  const completion = withReasoning(text, given.beside ?? {}, where);
  if (completion.length > maxCompletionLength) {
    throw fieldError(
      where,
      `at most ${maxCompletionLength} characters`,
      String(completion.length),
      "Limit completions.",
    );
  }
  const isTruncated = flagOf(given.truncated, `${where}.truncated`);
  const thinkIsOpen = promptOpensThinking(given.prompt, `${where}: prompt`);
  return {
    completion,
    isTruncated,
    ...(thinkIsOpen === undefined ? {} : { thinkIsOpen }),
    ...readReference(given.reference, where, corpus),
  };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function fieldsOf(value: unknown, where: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw fieldError(where, "an object", kindOf(value), "docs/reward-server.md has the shapes.");
}

function listOf(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value))
    throw fieldError(where, "a list", value === undefined ? "none" : kindOf(value), "Send one.");
  if (value.length === 0) throw fieldError(where, "at least one", "an empty list", "Send something to score.");
  if (value.length <= maxItems) return value;
  throw fieldError(where, `at most ${maxItems}`, String(value.length), "Send several requests.");
}

function flagOf(value: unknown, where: string): boolean {
  if (!isGiven(value)) return false;
  if (typeof value === "boolean") return value;
  throw fieldError(where, "true or false", kindOf(value), "Correct it.");
}
