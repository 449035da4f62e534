// HTML by tagged template: every value is escaped unless it is HTML already.

/** Text that is HTML already; only `html` makes it. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Value = Html | string | number | false | undefined | readonly Value[];

/** Example: html`<b>${userText}</b>`; arrays are joined, false and undefined vanish. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(parts.map((part, i) => part + (i < values.length ? render(values[i]) : "")).join(""));
}

/** Marks text from a trusted file (a style sheet, a script of ours) as HTML. */
export function raw(text: string): Html {
  return new Html(text);
}

/** JSON that may stand inside a script element: no `<` can end it early. */
export function jsonForScript(value: unknown): Html {
  return new Html(JSON.stringify(value).replaceAll("<", "\\u003c"));
}

function render(value: Value): string {
  if (value instanceof Html) return value.text;
  if (value === false || value === undefined) return "";
  if (typeof value === "object") return value.map(render).join("");
  return String(value)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
