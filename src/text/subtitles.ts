// The spoken lines of a subtitle file (WebVTT or SubRip) as one text: without numbers, times and markup.

const timing = /-->/;
const markup = /<[^>]*>|\{\\[^}]*\}/g;

/** Example: "WEBVTT\n\n00:00.000 --> 00:02.000\nhe told me" -> "he told me" */
export function subtitleText(file: string): string {
  const blocks = file
    .replace(/^\uFEFF/, "")
    .replaceAll("\r\n", "\n")
    .split(/\n{2,}/);
  const lines = blocks.flatMap((block) => {
    const all = block.split("\n");
    const start = all.findIndex((line) => timing.test(line));
    // Headers, styles and notes have no time.
    return start < 0 ? [] : all.slice(start + 1);
  });
  return lines
    .map((line) => line.replace(markup, "").trim())
    .filter((line) => line !== "")
    .join(" ");
}
