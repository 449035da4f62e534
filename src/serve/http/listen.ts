// A server that listens: bounded headers, connections and waiting times, so that a slow or silent client costs little; and
// a stop that lets what runs come to its end.
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
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
  /** Default 1,024. The idle ones among them make room for new ones. */
  readonly maxConnections?: number;
}

export interface Listening {
  /** Example: "http://127.0.0.1:8000" */
  readonly address: string;
  /** No new connections; waits for what runs, has `onGraceOver` answer what is left, and closes that. */
  close(options?: CloseOptions): Promise<void>;
}

export interface CloseOptions {
  readonly graceSeconds?: number;
  /** Told when what runs was waited for long enough: its chance to answer requests that are still open. */
  readonly onGraceOver?: () => void;
}

const maxConnections = 1024;
const headerSeconds = 10;
const idleSeconds = 65;
const checkSeconds = 2;
const defaultGraceSeconds = 10;
/** For the last answers to leave. */
const lastSeconds = 1;
const lookMilliseconds = 50;
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
  keepRoom(server, options.maxConnections ?? maxConnections);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => reject(addressError(options, cause)));
    server.listen(options.port, options.host, resolve);
  });
  const { port, family } = server.address() as AddressInfo;
  const host = family === "IPv6" ? `[${options.host}]` : options.host;
  return { address: `http://${host}:${port}`, close: (how = {}) => close(server, how) };
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

/**
 * Where a new connection is one too many, the one that has been idle for longest goes: it costs its client a new connection,
 * the other way round the new client would wait for nothing. While all are busy, new ones are refused.
 */
function keepRoom(server: Server, limit: number): void {
  /** Connections without a request, the longest idle first. */
  const idle = new Set<Socket>();
  let numOpen = 0;
  server.maxConnections = limit + 1;
  server.on("connection", (socket: Socket) => {
    numOpen++;
    socket.on("close", () => {
      numOpen--;
      idle.delete(socket);
    });
    if (numOpen > limit) {
      const [oldest] = idle;
      (oldest ?? socket).destroy();
      if (oldest === undefined) return;
    }
    idle.add(socket);
  });
  server.on("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
    idle.delete(socket);
    response.on("close", () => {
      if (!socket.destroyed) idle.add(socket);
    });
  });
}

async function close(
  server: Server,
  { graceSeconds = defaultGraceSeconds, onGraceOver = () => undefined }: CloseOptions,
): Promise<void> {
  await new Promise<void>((resolve) => {
    const timers: NodeJS.Timeout[] = [];
    // A connection whose last answer has left is idle from then on.
    timers.push(setInterval(() => server.closeIdleConnections(), lookMilliseconds));
    server.close(() => {
      for (const timer of timers) clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
    timers.push(setTimeout(onGraceOver, graceSeconds * second));
    timers.push(setTimeout(() => server.closeAllConnections(), (graceSeconds + lastSeconds) * second));
  });
}
