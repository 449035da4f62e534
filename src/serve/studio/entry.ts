// Who may use the studio: whoever has the link. Its token becomes a cookie of this address at the first visit, which the page's own
// requests, its clips and its stream of changes then carry; scripts may send it as a bearer token. What changes something has to come
// from the page itself.
import type { MiddlewareHandler } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import type { ServerContext } from "../http/app.ts";
import { requireBearer } from "../http/bearer.ts";
import { HttpError } from "../http/http-error.ts";

/** The page loads nothing from elsewhere, runs no script but its own file's, and stands in nobody's frame. */
const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const year = 31_536_000;

/** Headers of every answer, and the token. @param port in the cookie's name: cookies know no ports */
export function entry(token: string, port: () => number): MiddlewareHandler<ServerContext> {
  return async (c, next) => {
    c.header("content-security-policy", contentPolicy);
    c.header("x-content-type-options", "nosniff");
    c.header("referrer-policy", "no-referrer");
    c.header("cross-origin-resource-policy", "same-origin");
    c.header("cross-origin-opener-policy", "same-origin");
    const name = `oppo-studio-${port()}`;
    const shown = c.req.query("token");
    if (c.req.path === "/" && shown !== undefined) {
      requireBearer(`Bearer ${shown}`, token);
      setCookie(c, name, token, { httpOnly: true, sameSite: "Strict", path: "/", maxAge: year });
      // The token does not stay in the address.
      return c.redirect("/", 303);
    }
    const cookie = getCookie(c, name);
    requireBearer(cookie === undefined ? c.req.header("authorization") : `Bearer ${cookie}`, token);
    if (c.req.method !== "GET" && c.req.method !== "HEAD") requireOwnPage(c.req.header("origin"), c.req.header("host"));
    await next();
  };
}

/** A browser says from which page a request comes; scripts say nothing. */
function requireOwnPage(origin: string | undefined, host: string | undefined): void {
  if (origin === undefined || origin === `http://${host}`) return;
  throw new HttpError(
    403,
    "ERR_HTTP_ORIGIN",
    "origin: expected the studio's own page, got another. Open the link that the command printed.",
  );
}
