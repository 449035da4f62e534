// A server that listens: bounded headers, connections and waiting times, so that a slow or silent client costs little; and
// a stop that lets what runs come to its end.
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";
import { OppoError } from "../../error.ts";
import type { ServerContext } from "./app.ts";

export interface ListenOptions {
  /** 127.0.0.1: reached from this machine only. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** A request that has not come in whole after this is cut off. */
  readonly requestSeconds: number;
}

export interface Listening {
  /** Example: "http://127.0.0.1:8000" */
  readonly address: string;
  /** No new connections; waits for what runs, then closes what is left. */
  close(graceSeconds?: number): Promise<void>;
}

const maxConnections = 1024;
const headerSeconds = 10;
const idleSeconds = 65;
const checkSeconds = 2;
const defaultGraceSeconds = 10;
const second = 1000;

/** @throws OppoError ERR_SERVER_ADDRESS when the address cannot be listened on */
export async function listen(app: Hono<ServerContext>, options: ListenOptions): Promise<Listening> {
  const server = createAdaptorServer({
    fetch: app.fetch,
    overrideGlobalObjects: false,
    serverOptions: {
      headersTimeout: Math.min(headerSeconds, options.requestSeconds) * second,
      requestTimeout: options.requestSeconds * second,
      keepAliveTimeout: idleSeconds * second,
      connectionsCheckingInterval: checkSeconds * second,
      maxHeaderSize: 16384,
    },
  }) as Server;
  server.maxConnections = maxConnections;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => reject(addressError(options, cause)));
    server.listen(options.port, options.host, resolve);
  });
  const { port, family } = server.address() as AddressInfo;
  const host = family === "IPv6" ? `[${options.host}]` : options.host;
  return { address: `http://${host}:${port}`, close: (grace = defaultGraceSeconds) => close(server, grace) };
}

function addressError({ host, port }: ListenOptions, cause: NodeJS.ErrnoException): OppoError {
  const reasons: Record<string, string> = {
    EADDRINUSE: "one that is in use",
    EACCES: "one that needs more rights",
    EADDRNOTAVAIL: "one that this machine does not have",
  };
  return new OppoError(
    "ERR_SERVER_ADDRESS",
    `${host}:${port}: expected an address to listen on, got ${reasons[cause.code ?? ""] ?? cause.message}. Choose another --port or --host.`,
    { cause },
  );
}

async function close(server: Server, graceSeconds: number): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    const timer = setTimeout(() => server.closeAllConnections(), graceSeconds * second);
    server.on("close", () => clearTimeout(timer));
  });
}
