// What is said in a subtitle file, and nothing else of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { subtitleText } from "../../src/text/subtitles.ts";

test("lines without numbers, times, headers, notes and markup", () => {
  const vtt =
    "WEBVTT - a title\n\nNOTE not said\n\nSTYLE\n::cue {}\n\n1\n00:00.000 --> 00:02.000\n<v Ann>he told <i>me</i>\nabout it\n";
  assert.equal(subtitleText(vtt), "he told me about it");
  const srt =
    "\uFEFF1\r\n00:00:00,000 --> 00:00:01,000\r\n{\\an8}come in\r\n\r\n2\r\n00:00:01,000 --> 00:00:02,000\r\n\r\n3\r\n00:00:02,000 --> 00:00:03,000\r\n5 of us\r\n";
  assert.equal(subtitleText(srt), "come in 5 of us");
  assert.equal(subtitleText("no times here"), "");
});
