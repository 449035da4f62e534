// The bodies that trainers send, each turned into items to score: our own shape, the columns of TRL and ms-swift, the
// arguments of verl's compute_score, and OpenRLHF's remote reward model.
import { lastTurn, replyText, withoutLeadingPadding } from "../../text/special-tokens.ts";
import { fieldError, HttpError } from "../http/http-error.ts";
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
      return itemOf(fields.completion, fields.truncated, fields, `items.${i}`, corpus);
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
  return {
    items: completions.map((completion, i) => {
      const given = { sample: samples?.[i], cues: fromText(cues?.[i]), labels: labels?.[i] };
      return itemOf(messageText(completion, i), truncated?.[i], given, `completions.${i}`, corpus);
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
  const items = solutions.map((solution, i) => {
    const where = isSingle ? "solution_str" : `solution_strs.${i}`;
    const extra = isGiven(extras[i]) ? fieldsOf(extras[i], "extra_info") : {};
    const truth = truthOf(truths[i]);
    const given = {
      sample: extra.sample_id ?? extra.sample ?? truth.sample,
      cues: fromText(extra.cues) ?? truth.cues,
      labels: extra.labels ?? truth.labels,
    };
    return itemOf(solution, extra.truncated, given, where, corpus);
  });
  return { items, hasDetails: false, isSingle };
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
      const given = labelReference(labels[i], corpus);
      return itemOf(responseIn(query, prompts[i], i), undefined, given, `query.${i}`, corpus);
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

/** What follows the prompt in a query. */
function responseIn(query: unknown, prompt: unknown, index: number): string {
  if (typeof query !== "string") throw fieldError(`query.${index}`, "a text", kindOf(query), "Send texts.");
  const response = afterPrompt(query, prompt);
  if (response !== null) return replyText(response);
  throw new HttpError(
    400,
    "ERR_REWARD_QUERY",
    `query.${index}: expected the prompt with the response behind it, got a text that does not begin with the prompt. Send prompts as they are in the queries.`,
    { param: `query.${index}` },
  );
}

function afterPrompt(query: string, prompt: unknown): string | null {
  if (typeof prompt !== "string" || prompt === "") return lastTurn(query);
  if (query.startsWith(prompt)) return query.slice(prompt.length);
  // A batch may be padded on the left, and one of the two may have been decoded without its begin token.
  const [bare, bareQuery] = [withoutLeadingPadding(prompt), withoutLeadingPadding(query)];
  return bare !== "" && bareQuery.startsWith(bare) ? bareQuery.slice(bare.length) : lastTurn(query);
}

/** A completion of TRL: a text, or a conversation whose last assistant message counts. */
function messageText(completion: unknown, index: number): unknown {
  if (!Array.isArray(completion)) return completion;
  const where = `completions.${index}`;
  const last = completion.map((message) => fieldsOf(message, where)).findLast(({ role }) => role === "assistant");
  if (last === undefined) throw fieldError(where, "an assistant message", "none", "Send the completion.");
  if (!Array.isArray(last.content)) return last.content;
  return last.content.map((part) => fieldsOf(part, where).text ?? "").join("");
}

function itemOf(
  completion: unknown,
  truncated: unknown,
  given: GivenReference,
  where: string,
  corpus: Corpus | null,
): RewardItem {
  if (typeof completion !== "string")
    throw fieldError(where, "a completion as text", kindOf(completion), "Send texts.");
  if (completion.length > maxCompletionLength) {
    throw fieldError(
      where,
      `at most ${maxCompletionLength} characters`,
      String(completion.length),
      "Limit completions.",
    );
  }
  const isTruncated = flagOf(truncated, `${where}.truncated`);
  return { completion, isTruncated, ...readReference(given, where, corpus) };
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
