// A server with a Hugging Face hub's API for one repository: description of a revision, listing in pages, files by range,
// large ones from another host. Told how to misbehave, and it keeps a log of what it saw.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

export const mockCommit = "0123456789abcdef0123456789abcdef01234567";

export interface MockHubOptions {
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** Larger ones are LFS files: with a SHA-256, and served by the other host. */
  readonly lfsFrom?: number;
  /** Listed otherwise than the files are, by path: other sizes, hashes, names. */
  readonly listed?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** More entries of the listing. */
  readonly extra?: readonly unknown[];
  /** An answer in place of the usual one; asked with the number of the request to this path, from 0. */
  readonly fault?: (path: string, numBefore: number, request: IncomingMessage) => Fault | null;
  readonly pageSize?: number;
  /** The address of the next page, instead of this server's. */
  readonly nextPage?: string;
}

export type Fault =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** The connection ends after so many bytes of the body. */
  | { readonly cutAfter: number }
  | { readonly ignoreRange: true }
  | { readonly stall: true }
  /** Other bytes of the same length. */
  | { readonly garble: true };

export interface SeenHubRequest {
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
  readonly host: "hub" | "files";
}

export interface MockHub {
  readonly url: string;
  readonly requests: SeenHubRequest[];
}

export async function startMockHub(t: Pick<TestContext, "after">, options: MockHubOptions): Promise<MockHub> {
  const requests: SeenHubRequest[] = [];
  const asked = new Map<string, number>();
  const { lfsFrom = 1000, pageSize = 1000 } = options;
  const contents = new Map(Object.entries(options.files).map(([path, content]) => [path, Buffer.from(content)]));
  const isLarge = (path: string) => contents.get(path)!.length >= lfsFrom;

  const note = (request: IncomingMessage, host: "hub" | "files"): { path: string; fault: Fault | null } => {
    const path = decodeURIComponent(new URL(request.url!, "http://x").pathname);
    const { range, authorization } = request.headers;
    requests.push({ path, range, authorization, host });
    const numBefore = asked.get(`${host} ${path}`) ?? 0;
    asked.set(`${host} ${path}`, numBefore + 1);
    return { path, fault: options.fault?.(path, numBefore, request) ?? null };
  };

  const files = await listen(t, (request, response) => {
    const { path, fault } = note(request, "files");
    serveBytes(request, response, contents.get(path.slice(1))!, fault);
  });
  const hub = await listen(t, (request, response) => {
    const { path, fault } = note(request, "hub");
    if (fault !== null && "status" in fault) {
      response.writeHead(fault.status, fault.headers).end(fault.body ?? "");
      return;
    }
    const resolved = /^\/me\/model\/resolve\/([^/]+)\/(.+)$/.exec(path);
    if (path.startsWith("/api/models/me/model/revision/"))
      json(response, { _id: "1", id: "me/model", sha: mockCommit });
    else if (path === `/api/models/me/model/tree/${mockCommit}`) listPage(request, response);
    else if (resolved?.[1] === mockCommit && contents.has(resolved[2]!)) {
      const name = resolved[2]!;
      if (isLarge(name)) {
        const headers = { location: `${files}/${name}`, "x-linked-size": String(contents.get(name)!.length) };
        response.writeHead(302, headers).end();
      } else serveBytes(request, response, contents.get(name)!, fault);
    } else response.writeHead(404, { "x-error-code": "EntryNotFound" }).end();
  });

  function listPage(request: IncomingMessage, response: ServerResponse): void {
    const entries = [...[...contents.keys()].map((path) => entryOf(path)), ...(options.extra ?? [])];
    const from = Number(new URL(request.url!, "http://x").searchParams.get("cursor") ?? 0);
    const next = options.nextPage ?? `${hub}/api/models/me/model/tree/${mockCommit}?cursor=${from + pageSize}`;
    const hasMore = from + pageSize < entries.length;
    json(response, entries.slice(from, from + pageSize), hasMore ? { link: `<${next}>; rel="next"` } : {});
  }

  function entryOf(path: string): unknown {
    const content = contents.get(path)!;
    const oid = createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
    const sha256 = createHash("sha256").update(content).digest("hex");
    const size = content.length;
    const lfs = isLarge(path) ? { lfs: { oid: sha256, size, pointerSize: 130 } } : {};
    return { type: "file", path, size, oid, ...lfs, ...options.listed?.[path] };
  }
  return { url: hub, requests };
}

function json(response: ServerResponse, value: unknown, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(200, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
}

function serveBytes(request: IncomingMessage, response: ServerResponse, content: Buffer, fault: Fault | null): void {
  if (fault !== null && "status" in fault) {
    response.writeHead(fault.status, fault.headers).end(fault.body ?? "");
    return;
  }
  const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  const isWhole = match === null || (fault !== null && "ignoreRange" in fault);
  const [from, to] = isWhole ? [0, content.length - 1] : [Number(match[1]), Number(match[2])];
  let body = content.subarray(from, to + 1);
  if (fault !== null && "garble" in fault) body = Buffer.from(body.map((byte) => byte ^ 1));
  response.writeHead(isWhole ? 200 : 206, {
    etag: '"x"',
    "content-length": body.length,
    ...(isWhole ? {} : { "content-range": `bytes ${from}-${to}/${content.length}` }),
  });
  if (fault !== null && "cutAfter" in fault && body.length > fault.cutAfter) {
    response.write(body.subarray(0, fault.cutAfter), () => setTimeout(() => response.destroy(), 20));
  } else if (fault !== null && "stall" in fault && body.length > 1) response.write(body.subarray(0, 1));
  else response.end(body);
}

async function listen(t: Pick<TestContext, "after">, handler: RequestListener): Promise<string> {
  const server: Server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
