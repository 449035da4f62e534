// What every page must stand: a phone and a desk, light and dark, everything open, nothing that keeps people out, few sheets of paper.
import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { desk, overflow, phone, seriousProblems, visit } from "./chromium.ts";

/** Pages ask nobody for anything. */
export const ownAddresses = /^(data|file|blob):/;

export interface PageChecks {
  /** Sheets of A4 that it may be printed on as it opens. */
  readonly maxPrinted: number;
  /** Looks closer at the page as it opens, in light, at either width. */
  readonly look?: (page: Page, width: number) => Promise<void>;
}

export async function checkPage(browser: Browser, url: string, { maxPrinted, look }: PageChecks): Promise<void> {
  for (const viewport of [phone, desk]) {
    for (const colorScheme of ["light", "dark"] as const) {
      const context = await browser.newContext({ colorScheme, acceptDownloads: true });
      const { page, complaints } = await visit(context, url, { viewport, allowed: ownAddresses, timeout: 60_000 });
      const where = `${viewport.width} pixels, ${colorScheme}`;
      assert.equal(await page.locator("main > h1").count(), 1, where);
      assert.equal(await overflow(page), 0, where);
      if (viewport === desk && colorScheme === "light") {
        const sheets = await numSheets(page);
        assert.ok(sheets > 0 && sheets <= maxPrinted, `${sheets} printed pages of at most ${maxPrinted}`);
      }
      if (colorScheme === "light") await look?.(page, viewport.width);
      await page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true");
      assert.equal(await overflow(page), 0, `${where}, everything open`);
      assert.deepEqual(await seriousProblems(page), [], where);
      assert.deepEqual(complaints, [], where);
      await context.close();
    }
  }
}

async function numSheets(page: Page): Promise<number> {
  const margin = "1cm";
  const pdf = await page.pdf({
    format: "A4",
    margin: { top: margin, bottom: margin, left: margin, right: margin },
  });
  return (pdf.toString("latin1").match(/\/Type\s*\/Page(?!s)/g) ?? []).length;
}
