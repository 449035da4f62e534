// Who may ask a server: the optional bearer token, compared in constant time, whatever the length of what was sent; and
// without one, on an address of this machine only, requests that were meant for it. A page from elsewhere whose name was
// made to lead here (DNS rebinding) sends its own name.
import { createHash, timingSafeEqual } from "node:crypto";
import { HttpError } from "./http-error.ts";

/** @throws HttpError ERR_HTTP_UNAUTHORIZED (401) unless the header carries the token; null: no token is needed */
export function requireBearer(header: string | undefined, token: string | null): void {
  if (token === null) return;
  const given = /^Bearer +(\S+) *$/i.exec(header ?? "")?.[1] ?? "";
  if (timingSafeEqual(digest(given), digest(token))) return;
  throw new HttpError(
    401,
    "ERR_HTTP_UNAUTHORIZED",
    `authorization: expected "Bearer TOKEN" with this server's token, got ${header === undefined ? "none" : "another"}. Send the token that the server was started with.`,
  );
}

const ownNames = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

/** Whether an address can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i.test(host);
}

/** @throws HttpError ERR_HTTP_HOST (403) */
export function requireOwnName(host: string | undefined): void {
  if (host !== undefined && ownNames.test(host)) return;
  throw new HttpError(
    403,
    "ERR_HTTP_HOST",
    "host: expected this machine's own name (localhost, 127.0.0.1), got another. Behind a proxy, start the server with --token-env.",
  );
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
