// The system's Chromium for tests of pages: where it is, and a visit that notes every complaint.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

const paths = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** null: none is there; say so and skip. */
export const chromiumPath = paths.find((path) => existsSync(path)) ?? null;
export const noChromium = `needs a Chromium at ${paths.join(" or ")}`;

export const phone = { width: 390, height: 844 };
export const desk = { width: 1280, height: 900 };

/** The sandbox needs rights that a container, or root, does not have; the pages are our own. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath!,
    args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
  });
}

export interface Visit {
  readonly page: Page;
  /** Console errors and warnings, uncaught exceptions, and requests to others than `allowed`. */
  readonly complaints: string[];
}

export interface VisitOptions {
  readonly viewport: { readonly width: number; readonly height: number };
  readonly allowed: RegExp;
  readonly timeout?: number;
}

export async function visit(where: Browser | BrowserContext, url: string, options: VisitOptions): Promise<Visit> {
  const page = await where.newPage();
  await page.setViewportSize(options.viewport);
  page.setDefaultTimeout(options.timeout ?? 20_000);
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    if (!options.allowed.test(request.url())) complaints.push(`request of ${request.url()}`);
  });
  await page.goto(url, { waitUntil: "load" });
  return { page, complaints };
}

/** Pixels by which the page is wider than the window. */
export const overflow = (page: Page) =>
  page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") as Promise<number>;

/** What axe-core calls serious or critical, in words. */
export async function seriousProblems(page: Page): Promise<string[]> {
  // A change of theme fades; half-way there is no contrast.
  await page.evaluate(
    "new Promise((done) => setTimeout(done, 50)).then(() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => null))))",
  );
  await page.evaluate(readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
  return page.evaluate(`axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => id + ": " + nodes.map(({ html, any }) => html.slice(0, 120) + " " + (any[0]?.message ?? "")).slice(0, 3).join(" | ")))`);
}
