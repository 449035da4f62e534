// What every page is: one file with its style, one main part, tables that a keyboard can scroll, and a print of what is shown.
import { type Html, html, raw } from "./html.ts";
import { styleSheet } from "./style.ts";

export interface PageParts {
  readonly title: string;
  /** Of this page alone, after the common one. */
  readonly style?: string;
  /** Scripts that have to come before the body. */
  readonly head?: Html;
  /** From the h1 on. */
  readonly body: Html;
}

/** @returns the page's text, UTF-8, to be written as one .html file that needs no other */
export function pageDocument({ title, style = "", head, body }: PageParts): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><link rel="icon" href="data:,"><style>${raw(styleSheet + style)}</style>${head}</head>
<body><main>
${body}
</main></body></html>
`.text;
}

/** A table that may be wider than the window: it scrolls alone, by keys too. @param label what it is, for who cannot see it */
export function scrolling(label: string, table: Html): Html {
  return html`<div class="scroll" role="group" aria-label="${label}" tabindex="0">${table}</div>`;
}

/** What is there on demand; a print leaves it out while it is closed. */
export function folded(summary: string, content: Html, isOpen = false): Html {
  return html`<details${isOpen && raw(" open")}><summary>${summary}</summary>${content}</details>`;
}
