// The optional bearer token of a server: compared in constant time, whatever the length of what was sent.
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

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
