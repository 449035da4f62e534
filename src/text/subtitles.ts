// The spoken lines of a subtitle file (WebVTT or SubRip) as one text: without numbers, times and markup. What cannot be read is
// an error, never an empty line: a clip without its words is another clip.

import { decodeHTMLStrict } from "entities";
import { OppoError } from "../error.ts";
import { decodeText } from "./utf8.ts";

/** "00:01.000 --> 00:02.000": hours may be missing, settings may follow. */
const timing = /\d[\d:.,\s]*-->\s*\d/;
/** Tags by name, WebVTT's times inside a line, and SubStation's overrides. "I <3 you" has none. */
const markup = /<\/?[a-z][^<>]*>|<[\d:.]+:[\d:.]+>|<\/?>|\{\\[^}]*\}/gi;
/** SubStation's line breaks and hard spaces, which converters leave behind. */
const escapes = /\\[Nnh]/g;
const webVttHeader = /^WEBVTT(?:[ \t\n]|$)/;

/**
 * The lines in the bytes of a subtitle file; empty where nothing is said. `file` stands in errors.
 * @throws OppoError ERR_SUBTITLES for bytes that are neither UTF-8 nor marked UTF-16, and for a text without times
 */
export function readSubtitles(bytes: Uint8Array, file: string): string {
  const text = decodeText(bytes);
  if (text === null) {
    throw new OppoError(
      "ERR_SUBTITLES",
      `${file}: expected subtitles in UTF-8, or UTF-16 with a byte order mark, got bytes of another encoding. Save the file as UTF-8.`,
    );
  }
  const lines = unixLines(text);
  if (lines.trim() === "" || lines.split("\n").some(isTiming) || isBareWebVtt(lines)) return subtitleText(text);
  throw new OppoError(
    "ERR_SUBTITLES",
    `${file}: expected SubRip or WebVTT, lines with times such as 00:00:01,000 --> 00:00:02,000, got text without any. Convert the file, or give the line with --subtitle.`,
  );
}

/** Example: "WEBVTT\n\n00:00.000 --> 00:02.000\nhe told me" -> "he told me" */
export function subtitleText(file: string): string {
  const text = unixLines(file);
  const spoken = webVttHeader.test(text) ? webVttLines(text) : subRipLines(text);
  return spoken
    .map((line) => decodeHTMLStrict(line.replace(markup, "").replace(escapes, " ")).trim())
    .filter((line) => line !== "")
    .join(" ");
}

function unixLines(text: string): string {
  return text.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
}

/** A header, and what may stand beside lines: nothing is said in such a file. */
function isBareWebVtt(text: string): boolean {
  const [header, ...blocks] = text.trimEnd().split(/\n{2,}/);
  return webVttHeader.test(`${header}\n`) && blocks.every((block) => /^\s*(?:NOTE|STYLE|REGION)\b/.test(block));
}

function isTiming(line: string): boolean {
  return timing.test(line);
}

/** Of the blocks with a time; headers, styles and notes have none. */
function webVttLines(text: string): string[] {
  return text.split(/\n{2,}/).flatMap((block) => {
    const all = block.split("\n");
    const start = all.findIndex(isTiming);
    return start < 0 ? [] : linesOf(all, start);
  });
}

/** Blank lines may stand inside what is said, and may be missing between two entries. */
function subRipLines(text: string): string[] {
  const all = text.split("\n");
  const start = all.findIndex(isTiming);
  return start < 0 ? [] : linesOf(all, start);
}

/** All lines from the timing at `start` on, without further timings and the numbers before them. */
function linesOf(all: readonly string[], start: number): string[] {
  return all.slice(start).filter((line, i, rest) => {
    return !isTiming(line) && !(/^\s*\d+\s*$/.test(line) && isTiming(rest[i + 1] ?? ""));
  });
}
