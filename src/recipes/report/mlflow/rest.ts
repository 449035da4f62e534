// Requests to MLflow's REST API (2.0/mlflow): a reply whole, bounded and of the shape that is expected, or an error that says what to do. What
// a server refuses has a code of MLflow's, which callers may ask for. The name and password are MLflow's own environment variables.
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import {
  askedWait,
  deepestMessage,
  fetchWhole,
  type ReplyLimits,
  TimedOut,
  type WholeReply,
  webPage,
} from "../../../endpoint/bounded-fetch.ts";
import { addressProblem } from "../../../endpoint/endpoint-options.ts";
import { quotable, withoutSecret } from "../../../endpoint/secret.ts";
import { OppoError } from "../../../error.ts";

export interface ServerOptions {
  /** As people give it: "http://localhost:5000", with a path where the server lies below one. */
  readonly address: string;
  /** Of MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD and MLFLOW_TRACKING_TOKEN. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** For one request, up to the last byte of its reply. */
  readonly timeoutMilliseconds?: number;
  /** Before the second try of a request; doubles. */
  readonly retryMilliseconds?: number;
}

export interface Request<T> {
  /** Below 2.0/mlflow, such as "runs/create". */
  readonly path: string;
  readonly reply: z.ZodType<T>;
  /** Left out: a GET. */
  readonly body?: object;
  readonly query?: Readonly<Record<string, string>>;
  /** A request that would do its work twice is sent once. */
  readonly once?: boolean;
}

export interface MlflowServer {
  /** Without a slash at its end. */
  readonly address: string;
  /** @throws ServerRefusal, OppoError ERR_EXPORT_SERVER */
  ask<T>(request: Request<T>): Promise<T>;
}

/** The server answered, and said no. */
export class ServerRefusal extends OppoError {
  /** Of MLflow's protocol, such as "RESOURCE_DOES_NOT_EXIST"; null where the reply has none. */
  readonly refusal: string | null;

  constructor(message: string, refusal: string | null) {
    super("ERR_EXPORT_SERVER", message);
    this.refusal = refusal;
  }
}

/** A search tells all of a run: settings of a megabyte, written with escapes. */
const maxReplyBytes = 16_000_000;
const maxTries = 3;
/** A server that asks for more is not waited for. */
const longestWait = 60_000;
const passing: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);
const complaint = z.object({ error_code: z.string(), message: z.string().catch("") });

interface Connection {
  readonly address: string;
  readonly credentials: Credentials;
  readonly limits: ReplyLimits;
}

/** @throws OppoError ERR_EXPORT_ADDRESS */
export function openMlflowServer(options: ServerOptions): MlflowServer {
  const { timeoutMilliseconds = 60_000, retryMilliseconds = 500 } = options;
  const address = checkedAddress(options.address);
  const credentials = readCredentials(options.environment);
  const connection: Connection = { address, credentials, limits: { timeoutMilliseconds, maxReplyBytes } };
  return {
    address,
    async ask<T>(request: Request<T>): Promise<T> {
      for (let numTries = 1; ; numTries++) {
        const outcome = await exchange(request, connection);
        const wait = outcome.asked ?? retryMilliseconds * 2 ** (numTries - 1);
        if (outcome.mayPass && request.once !== true && numTries < maxTries && wait <= longestWait) await sleep(wait);
        else if ("error" in outcome) throw outcome.error;
        else return replyOf(outcome.reply, request, connection);
      }
    },
  };
}

type Outcome = { readonly mayPass: boolean; readonly asked: number | null } & (
  | { readonly reply: WholeReply }
  | { readonly error: OppoError }
);

/** One request, sent once. */
async function exchange(request: Request<unknown>, connection: Connection): Promise<Outcome> {
  const { path, body, query = {} } = request;
  const { address, credentials, limits } = connection;
  const search = new URLSearchParams(query).toString();
  const url = `${address}/api/2.0/mlflow/${path}${search === "" ? "" : `?${search}`}`;
  const headers = { accept: "application/json", "content-type": "application/json", ...credentials.header };
  const init = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
  try {
    const reply = await fetchWhole(url, init, limits);
    return { reply, mayPass: passing.has(reply.status), asked: askedWait(reply.headers) };
  } catch (cause) {
    const isLate = cause instanceof TimedOut;
    // fetch has this class for whatever the network does; the rest are bounds of ours.
    const isNetwork = cause instanceof TypeError && !isLate;
    const seconds = limits.timeoutMilliseconds / 1000;
    const got = isLate ? `no whole reply within ${seconds} s` : deepestMessage(cause as Error);
    const advice = isLate
      ? "The server's log says more. Run the same again later."
      : isNetwork && !/redirect/.test(got)
        ? "Check that a tracking server runs there: mlflow server --port 5000."
        : notMlflow;
    return {
      error: new OppoError("ERR_EXPORT_SERVER", said(path, got, advice, connection)),
      mayPass: isNetwork,
      asked: null,
    };
  }
}

/** @throws ServerRefusal, OppoError ERR_EXPORT_SERVER */
function replyOf<T>({ ok, status, bytes }: WholeReply, { path, reply }: Request<T>, connection: Connection): T {
  const text = bytes.toString("utf8");
  const value = parsed(text);
  if (!ok) {
    const { data } = complaint.safeParse(value);
    const words = data === undefined ? (webPage(text) ?? text) : `${data.error_code}: ${data.message}`;
    const advice = adviceFor(status, words, data !== undefined, connection.credentials);
    throw new ServerRefusal(said(path, `status ${status}: ${words}`, advice, connection), data?.error_code ?? null);
  }
  const checked = reply.safeParse(value);
  if (checked.success) return checked.data;
  const got = value === undefined ? (webPage(text) ?? "a body that is not JSON") : issueOf(checked.error);
  throw new OppoError("ERR_EXPORT_SERVER", said(path, got, notMlflow, connection));
}

function said(path: string, got: string, advice: string, { address, credentials }: Connection): string {
  return `${address}: expected an answer to ${path}, got ${quoted(got, credentials)}. ${advice}`;
}

const notMlflow = "Check that the address is a tracking server's, without anything behind its port or its path.";

function adviceFor(status: number, words: string, isMlflow: boolean, { header }: Credentials): string {
  const names = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN";
  if (/invalid host header/i.test(words)) return "Start the server with its name: mlflow server --allowed-hosts NAME.";
  if (status === 401 || status === 403) {
    return header === null ? `Set ${names}.` : `Check ${names}, and what the account may do.`;
  }
  if (status === 413) return "Let the proxy before the server take bodies of 1 MB.";
  if (passing.has(status)) return "The server's log says more. Run the same again later.";
  return isMlflow ? "The server's log says more." : notMlflow;
}

interface Credentials {
  readonly header: { readonly authorization: string } | null;
  /** Not to be repeated. */
  readonly secrets: readonly string[];
}

/** As MLflow does: a name and a password where both are there, else the token. */
function readCredentials(environment: ServerOptions["environment"]): Credentials {
  const {
    MLFLOW_TRACKING_USERNAME: name = "",
    MLFLOW_TRACKING_PASSWORD: password = "",
    MLFLOW_TRACKING_TOKEN: token = "",
  } = environment;
  if (name !== "" && password !== "") {
    const both = Buffer.from(`${name}:${password}`, "utf8").toString("base64");
    return { header: { authorization: `Basic ${both}` }, secrets: [both, password] };
  }
  if (token === "") return { header: null, secrets: [] };
  if (/^[\x21-\x7e]+$/.test(token)) return { header: { authorization: `Bearer ${token}` }, secrets: [token] };
  throw new OppoError(
    "ERR_EXPORT_ADDRESS",
    "MLFLOW_TRACKING_TOKEN: expected a token of plain characters, got another one. Set it anew, without spaces.",
  );
}

/** One line for a message, bounded and without what is secret. */
function quoted(text: string, { secrets }: Credentials): string {
  const plain = secrets.reduce((rest, secret) => withoutSecret(rest, secret), text);
  return quotable(plain, null, 300).replace(/[.\s]+$/, "");
}

function checkedAddress(text: string): string {
  const problem = addressProblem(text);
  if (problem === null) return text.replace(/\/+$/, "");
  throw new OppoError(
    "ERR_EXPORT_ADDRESS",
    `--mlflow: expected a folder or a tracking server's address like http://localhost:5000, got ${problem}. A database is written by its server: mlflow server --backend-store-uri sqlite:///mlflow.db; a password comes from MLFLOW_TRACKING_PASSWORD.`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function issueOf({ issues }: z.ZodError): string {
  const [issue] = issues;
  return issue === undefined
    ? "another one"
    : `JSON in which ${issue.path.join(".") || "the whole"} is no answer: ${issue.message}`;
}
