// Keeps the key out of everything that is shown or stored. Servers repeat it in their complaints ("incorrect key ..."),
// and a hostile one could repeat it in a reply.

/** Shorter keys are placeholders ("EMPTY", "none"), and would turn up in ordinary text. */
const shortestSecret = 6;

/** The text with `[key]` wherever it held the key. */
export function withoutSecret(text: string, key: string | null): string {
  return key === null || key.length < shortestSecret ? text : text.replaceAll(key, "[key]");
}

/** One line for an error message: bounded, without control characters and without the key. */
export function quotable(text: string, key: string | null, maxLength = 200): string {
  // The key goes first: a cut in its middle would leave a part of it.
  const plain = withoutSecret(text, key)
    .replace(/[\p{C}\s]+/gu, " ")
    .trim();
  return plain.length > maxLength ? `${plain.slice(0, maxLength)}...` : plain;
}
