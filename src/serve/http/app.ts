// What both servers have in common around their routes: the token, counters, errors in one shape, /health and /metrics.
import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { isLoopback, requireBearer, requireOwnName } from "./bearer.ts";
import type { Counters } from "./counters.ts";
import { asHttpError, errorBody, HttpError } from "./http-error.ts";

export interface ServerContext {
  Bindings: HttpBindings;
}

export interface AppOptions {
  /** null: nobody has to show one. /health never asks. */
  readonly token: string | null;
  /** Of a server with other ways in than a bearer token: who is let in. Left out: whoever shows the token. */
  readonly entry?: MiddlewareHandler<ServerContext>;
  /** The address that is listened on. */
  readonly host: string;
  readonly counters: Counters;
  /** What /health tells; its status is 503 where `isHealthy` is false. */
  readonly health: () => { readonly isHealthy: boolean } & Readonly<Record<string, unknown>>;
  /** Told of faults of our own. */
  readonly onFault: (error: unknown) => void;
}

const millisecondsPerSecond = 1000;
const serverFault = 500;

/** An app with everything but its own routes. */
export function createApp({ token, entry, host, counters, health, onFault }: AppOptions): Hono<ServerContext> {
  const app = new Hono<ServerContext>();
  app.onError((error, c) => errorResponse(c, error, onFault));
  app.notFound((c) => errorResponse(c, notFound(c), onFault));
  app.get("/health", (c) => {
    const { isHealthy, ...rest } = health();
    return c.json({ status: isHealthy ? "ok" : "not ready", ...rest }, isHealthy ? 200 : 503);
  });
  app.use("*", async (c, next) => {
    const start = performance.now();
    requireBearer(c.req.header("authorization"), token);
    if (token === null && isLoopback(host)) requireOwnName(c.req.header("host"));
    await next();
    counters.observe((performance.now() - start) / millisecondsPerSecond);
  });
  if (entry !== undefined) app.use("*", entry);
  app.use("*", async (c, next) => {
    await next();
    counters.add("requests_total", 1, { path: routeOf(c), status: String(c.res.status) });
  });
  app.get("/metrics", (c) => c.text(counters.text()));
  return app;
}

/** The route, not the path: neither a scan of random paths nor one page for every row may fill the memory. */
function routeOf(c: Context<ServerContext>): string {
  return c.res.status === 404 ? "other" : routePath(c, -1);
}

export function errorResponse(c: Context<ServerContext>, thrown: unknown, onFault: (error: unknown) => void): Response {
  const error = asHttpError(thrown);
  if (error.status === serverFault) onFault(error.cause ?? error);
  if (error.retryAfterSeconds !== null) c.header("retry-after", String(error.retryAfterSeconds));
  if (error.status === 401) c.header("www-authenticate", "Bearer");
  // What is left of a body that nobody wants is not waited for.
  if (error.status === 413) c.header("connection", "close");
  return c.json(errorBody(error), error.status as ContentfulStatusCode);
}

function notFound(c: Context<ServerContext>): HttpError {
  const path = c.req.path.slice(0, 100);
  return new HttpError(
    404,
    "ERR_HTTP_NOT_FOUND",
    `${c.req.method} ${path}: expected one of this server's addresses, got another. docs/serving.md lists them.`,
  );
}
