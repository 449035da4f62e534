// Fetches a medium from the web for a request: bounded in bytes, time and redirects. Only public addresses are connected
// to, and the address that was checked is the one that is used, so that no name can lead into the network of the server.
import { lookup } from "node:dns";
import http from "node:http";
import https from "node:https";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { HttpError } from "../../http/http-error.ts";

export interface FetchOptions {
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** Default: public addresses. */
  readonly isAllowed?: (address: string) => boolean;
}

const maxRedirects = 3;
const timeoutSeconds = 30;
const millisecondsPerSecond = 1000;

const privateRanges = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
] as const) {
  privateRanges.addSubnet(network, prefix, "ipv4");
}

/** IPv6 that is neither private nor a way to write an IPv4 address: global unicast, less 6to4, Teredo and documentation. */
const publicSix = new BlockList();
publicSix.addSubnet("2000::", 3, "ipv6");
const oddSix = new BlockList();
oddSix.addSubnet("2002::", 16, "ipv6");
oddSix.addSubnet("2001::", 23, "ipv6");
oddSix.addSubnet("2001:db8::", 32, "ipv6");

export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !privateRanges.check(address, "ipv4");
  return family === 6 && publicSix.check(address, "ipv6") && !oddSix.check(address, "ipv6");
}

/** @throws HttpError ERR_MEDIA_URL */
export async function fetchMedia(url: string, options: FetchOptions): Promise<Buffer> {
  const timeout = AbortSignal.timeout(timeoutSeconds * millisecondsPerSecond);
  const signal = AbortSignal.any([options.signal, timeout]);
  let target = url;
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const answer = await get(target, { ...options, signal });
    if (answer.location === null) return answer.bytes;
    target = answer.location;
  }
  throw fetchError(`at most ${maxRedirects} redirects`, "more");
}

interface Fetched {
  readonly bytes: Buffer;
  /** Where to go instead. */
  readonly location: string | null;
}

function get(url: string, { maxBytes, signal, isAllowed = isPublicAddress }: FetchOptions): Promise<Fetched> {
  const target = URL.canParse(url) ? new URL(url) : null;
  if (target === null || !/^https?:$/.test(target.protocol)) throw fetchError("an http or https address", "another");
  const host = target.hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) !== 0 && !isAllowed(host)) throw fetchError("a public address", "a private one");
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) =>
      reject(error instanceof HttpError ? error : fetchError("an answer", "none (no connection, or too slow)", error));
    const request = (target.protocol === "https:" ? https : http).get(
      target,
      { signal, lookup: checkedLookup(isAllowed), agent: false, headers: { accept: "video/*, audio/*, image/*" } },
      (response) => {
        const { statusCode = 0, headers } = response;
        if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
          response.destroy();
          resolve({ bytes: Buffer.alloc(0), location: redirectOf(headers.location, target) });
          return;
        }
        const refuse = (error: HttpError) => {
          response.destroy();
          fail(error);
        };
        if (statusCode !== 200) return refuse(fetchError("status 200", String(statusCode)));
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size <= maxBytes) chunks.push(chunk);
          else refuse(fetchError(`at most ${maxBytes} bytes`, "more"));
        });
        response.on("end", () => resolve({ bytes: Buffer.concat(chunks), location: null }));
        response.on("error", fail);
      },
    );
    request.on("error", fail);
  });
}

/** Empty where it leads nowhere, which the next round refuses. */
function redirectOf(location: string, from: URL): string {
  return URL.canParse(location, from.href) ? new URL(location, from).href : "";
}

/** DNS that gives allowed addresses only. */
function checkedLookup(isAllowed: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, "");
      const allowed = addresses.filter(({ address }) => isAllowed(address));
      if (allowed.length < addresses.length || allowed.length === 0) {
        return callback(fetchError("a public address", "a name that leads to a private one"), "");
      }
      if (options.all === true) callback(null, allowed);
      else callback(null, allowed[0]!.address, allowed[0]!.family);
    });
  };
}

function fetchError(expected: string, got: string, cause?: unknown): HttpError {
  return new HttpError(
    400,
    "ERR_MEDIA_URL",
    `media: expected ${expected}, got ${got}. Check the address, or send a data: URL.`,
    {
      cause,
    },
  );
}
