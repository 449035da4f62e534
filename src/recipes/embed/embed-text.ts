// What `oppo embed` prints: a matrix of cosines, or the beginning of every vector.
import type { EmbeddedTexts } from "./embed-texts.ts";

/** Columns of a matrix that a terminal shows without breaking lines. */
const maxColumns = 24;
const shownNumbers = 4;
const maxShown = 50;
const maxTextLength = 70;

/** Rows are texts, columns the same texts by number. */
export function matrixText({ texts }: Pick<EmbeddedTexts, "texts">, cosines: readonly (readonly number[])[]): string {
  const width = Math.max(5, String(texts.length).length);
  const blocks: string[] = [];
  for (let from = 0; from < texts.length; from += maxColumns) {
    const to = Math.min(texts.length, from + maxColumns);
    const head = Array.from({ length: to - from }, (_, i) => String(from + i + 1).padStart(width)).join(" ");
    const rows = texts.map((text, row) => {
      const cells = cosines[row]!.slice(from, to).map((cosine) => two(cosine).padStart(width));
      return `${String(row + 1).padStart(width)} ${cells.join(" ")}  ${plainText(text)}`;
    });
    blocks.push([`${"".padStart(width)} ${head}`, ...rows].join("\n"));
  }
  return blocks.join("\n\n");
}

export function vectorsText({ embedder, dimension, texts, vectors }: EmbeddedTexts): string {
  const rows = texts.slice(0, maxShown).map((text, row) => {
    const numbers = [...vectors.subarray(row * dimension, row * dimension + Math.min(shownNumbers, dimension))];
    const more = dimension > shownNumbers ? ", ..." : "";
    return `[${numbers.map((number) => number.toFixed(4).padStart(7)).join(", ")}${more}]  ${plainText(text)}`;
  });
  const rest = texts.length > maxShown ? [`and ${texts.length - maxShown} more`] : [];
  return [`${texts.length} x ${dimension}, ${embedder}`, ...rows, ...rest].join("\n");
}

/** Two digits, without a minus before zero. */
export function two(value: number): string {
  return (Math.abs(value) < 0.005 ? 0 : value).toFixed(2);
}

/** What texts contain must not steer the terminal. */
export function plainText(text: string): string {
  const plain = text.replace(/[\p{C}\s]+/gu, " ").trim();
  return plain.length > maxTextLength ? `${plain.slice(0, maxTextLength - 3)}...` : plain;
}
