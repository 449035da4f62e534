// What to do about an endpoint that does not answer as it should, found out where it can be: a refused address or model is
// looked into with one or two small requests (GET /models, the same below /v1), so that the advice names what would work.
import { z } from "zod";
import { editDistance } from "../edit-distance.ts";
import type { EndpointSettings } from "./endpoint-options.ts";
import { quotable } from "./secret.ts";
import type { Failure, Path, Transport } from "./transport.ts";

const modelsBody = z.object({ data: z.array(z.object({ id: z.string() })) });
const mostModels = 8;
const aboutModel =
  /model\b.*(?:not found|not exist|not available|unknown|invalid|not supported|no such|not loaded)|(?:unknown|invalid|no such) model|model_not_found|try pulling/i;
const aboutLength =
  /context[ _]?(?:length|window|size)|maximum context|max_model_len|max(?:imum)? (?:input|sequence) length|too (?:long|many tokens|large)|tokens? .*exceed|exceed.* (?:tokens|length|context)|reduce the length|must have less than/i;

/** The server says that it does not have the model. */
export function isAboutModel({ status, complaint }: Failure): boolean {
  return (status === 404 || status === 400 || status === 422) && aboutModel.test(complaint);
}

/** The server says that a request is longer than the model's context, or than it takes. */
export function isAboutLength({ status, complaint }: Failure): boolean {
  return status === 413 || ((status === 400 || status === 422) && aboutLength.test(complaint));
}

/** The server refuses one request for what is in it, and would take another one. */
export function isAboutRequest(failure: Failure): boolean {
  const { status } = failure;
  return (status === 400 || status === 413 || status === 422) && (isAboutLength(failure) || !isAboutModel(failure));
}

/** One or two sentences that say what to do. Asks the server only where its answer can help. */
export async function remedyFor(
  failure: Failure,
  path: Path,
  settings: EndpointSettings,
  transport: Pick<Transport, "get">,
): Promise<string> {
  const { status } = failure;
  if (status === 401) {
    return settings.key === null
      ? "The server wants a key: name the environment variable that holds it (--key-env)."
      : "The server does not take the key: check the variable of --key-env, and that the key belongs to this address.";
  }
  if (status === 403) return "The key, or this machine, may not use the model: check what the account is allowed.";
  if (status === 402) return "The account has no credit left.";
  if (status === 429) return "The server limits requests: lower --concurrency, or go on later.";
  if (isAboutModel(failure) || status === 404 || status === 405 || failure.isNoApi) {
    return await addressRemedy(failure, path, settings, transport);
  }
  if (status !== null && status >= 500)
    return "The fault is the server's: its log says more. Run the same again to go on.";
  if (failure.isTimeout) return "Raise --timeout, or lower --concurrency so that the server has less to do at once.";
  if (status === null && failure.isConnection) return "Check that the server runs and listens at this address.";
  return "Check that the address is an OpenAI-compatible API and the model's name is right.";
}

async function addressRemedy(
  failure: Failure,
  path: Path,
  { url, model, key }: EndpointSettings,
  transport: Pick<Transport, "get">,
): Promise<string> {
  const own = await modelsAt(url, transport);
  if (own !== null) {
    if (!own.includes(model)) return modelRemedy(model, own, key);
    if (isAboutModel(failure))
      return `The server lists ${quotable(model, key)} and does not serve it: its log says more.`;
    return path === "/embeddings"
      ? "The server has the model and does not embed with it: serve an embedding model."
      : "The server has the model and does not chat with it: serve a chat model.";
  }
  for (const other of otherAddresses(url)) {
    const models = await modelsAt(other, transport);
    if (models === null) continue;
    const name = models.includes(model) ? "" : ` ${modelRemedy(model, models, key)}`;
    return `An API answers at ${other}: give that address.${name}`;
  }
  if (isAboutModel(failure)) return "Check the model's name.";
  return `No API answers at ${url}/models${/\/v\d+$/.test(url) ? "" : ` or ${url}/v1/models`}: check the address, which ends with the version ("http://localhost:8000/v1").`;
}

/** Where people leave the version out, or give the address of one call. */
export function otherAddresses(url: string): string[] {
  const base = url.replace(/\/(?:chat\/completions|completions|embeddings|models|chat)$/, "");
  const withVersion = /\/v\d+$/.test(base) ? [] : [`${base}/v1`];
  return base === url ? withVersion : [base, ...withVersion];
}

export async function modelsAt(url: string, transport: Pick<Transport, "get">): Promise<string[] | null> {
  const outcome = await transport.get(`${url}/models`);
  const checked = modelsBody.safeParse("body" in outcome ? outcome.body : null);
  return checked.success ? checked.data.data.map(({ id }) => id) : null;
}

function modelRemedy(model: string, models: readonly string[], key: string | null): string {
  if (models.length === 0) return "The server offers no model: load one.";
  const close = nearestModel(model, models);
  const shown = models.slice(0, mostModels).map((name) => quotable(name, key));
  const more = models.length > mostModels ? ` and ${models.length - mostModels} more` : "";
  const meant = close === null || models.length === 1 ? "" : ` Did you mean ${quotable(close, key)}?`;
  return `The server does not have the model ${quotable(model, key)}; it offers ${shown.join(", ")}${more}.${meant}`;
}

/** The name that holds the asked one, or is held by it, else the one with the fewest edits; null when none is close. */
export function nearestModel(model: string, models: readonly string[]): string | null {
  const asked = model.toLowerCase();
  const related = models.filter((name) => {
    const other = name.toLowerCase();
    return other.includes(asked) || asked.includes(other) || other.split("/").at(-1) === asked.split("/").at(-1);
  });
  const ranked = (related.length > 0 ? related : models)
    .map((name) => ({ name, distance: editDistance(asked, name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best !== undefined && (related.length > 0 || best.distance <= asked.length / 2) ? best.name : null;
}
