// One request to a rollout server, and what became of it: the status and all of the body, bounded in bytes and time, or that
// there was no whole answer. Plain node:http, because a step is one long computation: a request must be known to be on its way before
// it begins, and what comes back waits in the socket.
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

export interface RequestOptions {
  readonly method?: "GET" | "POST";
  readonly body?: unknown;
  readonly token: string | null;
  readonly seconds: number;
  readonly signal: AbortSignal;
  /** Told once the request has been handed to the system, or has failed. */
  readonly onSent?: () => void;
}

export interface Reply {
  readonly status: number;
  readonly text: string;
  /** Milliseconds since 1970 by the server's clock; null where it does not say. */
  readonly date: number | null;
  /** How long the server asks to wait; null where it does not. */
  readonly waitSeconds: number | null;
}

/** There was no whole answer: another try may get one. */
export class NoReply extends Error {
  /** How long the server asks to wait; null where it does not. */
  readonly waitSeconds: number | null;

  constructor(message: string, waitSeconds: number | null = null) {
    super(message);
    this.waitSeconds = waitSeconds;
  }
}

/** Ids and log-probabilities of 64 long answers. */
const maxReplyBytes = 1 << 28;
const millisecondsPerSecond = 1000;

const agents = { "http:": new HttpAgent({ keepAlive: true }), "https:": new HttpsAgent({ keepAlive: true }) };

/** @throws NoReply; the signal's reason once it is aborted */
export async function ask(address: string, path: string, options: RequestOptions): Promise<Reply> {
  const { signal, onSent } = options;
  signal.throwIfAborted();
  try {
    return await exchange(new URL(address + path), options);
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof NoReply ? error : new NoReply(reasonOf(error));
  } finally {
    onSent?.();
  }
}

/** What a refused or broken connection says; of several addresses of a name, the first. */
function reasonOf(error: unknown): string {
  const { message, code, errors } = error as NodeJS.ErrnoException & { errors?: readonly Error[] };
  return message || errors?.[0]?.message || code || String(error);
}

function exchange(url: URL, { method = "POST", body, token, seconds, signal, onSent }: RequestOptions): Promise<Reply> {
  const text = body === undefined ? "" : JSON.stringify(body);
  const headers = {
    accept: "application/json",
    ...(method === "POST" ? { "content-type": "application/json", "content-length": Buffer.byteLength(text) } : {}),
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
  };
  return new Promise((resolve, reject) => {
    const isSecure = url.protocol === "https:";
    const agent = isSecure ? agents["https:"] : agents["http:"];
    const outgoing = (isSecure ? httpsRequest : httpRequest)(url, { method, headers, agent });
    const late = setTimeout(
      () => outgoing.destroy(new NoReply(`no whole answer within ${seconds} s`)),
      seconds * millisecondsPerSecond,
    );
    const onAbort = () => outgoing.destroy(new NoReply("given up"));
    signal.addEventListener("abort", onAbort, { once: true });
    const settle = () => {
      clearTimeout(late);
      signal.removeEventListener("abort", onAbort);
    };
    outgoing.on("error", (error) => {
      settle();
      reject(error);
    });
    outgoing.on("finish", () => onSent?.());
    outgoing.on("response", (incoming) => {
      const chunks: Buffer[] = [];
      let size = 0;
      incoming.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > maxReplyBytes) outgoing.destroy(new NoReply(`a body of more than ${maxReplyBytes} bytes`));
        else chunks.push(chunk);
      });
      incoming.on("error", reject);
      incoming.on("close", () => {
        settle();
        if (!incoming.complete) reject(new NoReply("the beginning of an answer"));
        const { date, "retry-after": wait } = incoming.headers;
        resolve({
          status: incoming.statusCode ?? 0,
          text: Buffer.concat(chunks).toString("utf8"),
          date: date === undefined ? null : Date.parse(date),
          waitSeconds: /^\d+$/.test(wait ?? "") ? Number(wait) : null,
        });
      });
    });
    outgoing.end(text);
  });
}
