// What is said in a subtitle file, and nothing else of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readSubtitles, subtitleText } from "../../src/text/subtitles.ts";

test("lines without numbers, times, headers, notes and markup", () => {
  const vtt =
    "WEBVTT - a title\n\nNOTE not said\n\nSTYLE\n::cue {}\n\n1\n00:00.000 --> 00:02.000\n<v Ann>he told <i>me</i>\nabout it\n";
  assert.equal(subtitleText(vtt), "he told me about it");
  const srt =
    "\uFEFF1\r\n00:00:00,000 --> 00:00:01,000\r\n{\\an8}come in\r\n\r\n2\r\n00:00:01,000 --> 00:00:02,000\r\n\r\n3\r\n00:00:02,000 --> 00:00:03,000\r\n5 of us\r\n";
  assert.equal(subtitleText(srt), "come in 5 of us");
  assert.equal(subtitleText("no times here"), "");
});

const line = "I can\u2019t believe it. Really, \u2014 caf\u00e9!";
const srt = `1\n00:00:00,000 --> 00:00:01,500\n${line}\n`;

function utf16(text: string, isLittle: boolean): Buffer {
  const bytes = Buffer.from(`\uFEFF${text}`, "utf16le");
  return isLittle ? bytes : bytes.swap16();
}

test("UTF-8 and UTF-16 with any line ends give the same words; other bytes are refused by the file's name", () => {
  for (const ends of ["\n", "\r\n", "\r"]) {
    const text = srt.replaceAll("\n", ends);
    for (const bytes of [Buffer.from(text), Buffer.from(`\uFEFF${text}`), utf16(text, true), utf16(text, false)]) {
      assert.equal(readSubtitles(bytes, "x.srt"), line);
    }
  }
  const latin1 = Buffer.from(srt.replace("\u2014 ", "").replace("\u2019", "'"), "latin1");
  const gbk = Buffer.concat([
    Buffer.from("1\n00:00:00,000 --> 00:00:01,500\n"),
    Buffer.from("c4e3d4f5c3b4c1cb", "hex"),
  ]);
  for (const bytes of [latin1, gbk, utf16(srt, true).subarray(2), utf16(srt, true).subarray(0, -1)]) {
    assert.throws(() => readSubtitles(bytes, "x.srt"), {
      code: "ERR_SUBTITLES",
      message: /^x\.srt: expected subtitles in UTF-8, or UTF-16 .*Save the file as UTF-8\.$/,
    });
  }
});

test("a file that says nothing is empty, one whose words cannot be told from the rest is refused", () => {
  for (const text of ["", "\n\n", "WEBVTT", "WEBVTT - title\n\nNOTE nobody speaks\n\nSTYLE\n::cue {}\n"]) {
    assert.equal(readSubtitles(Buffer.from(text), "x.vtt"), "");
  }
  const ass = "[Script Info]\n\n[Events]\nDialogue: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,hello\n";
  for (const text of ["hello there", ass, "WEBVTT\n\nhello there\n"]) {
    assert.throws(() => readSubtitles(Buffer.from(text), "x.srt"), { code: "ERR_SUBTITLES", message: /without any/ });
  }
});

test("entries as people have them: settings, references, tags, blank lines and numbers in what is said", () => {
  const vtt = [
    "WEBVTT",
    "",
    "intro",
    "00:01.000 --> 00:02.500 align:start position:10%",
    "<v.loud Ann>Tom &amp; I <c.yellow>don&#39;t</c> know<00:01.500> &eacute; &lt;3",
    "00:00:03.000 --> 00:00:04.000",
    "{\\an8}no&nbsp;blank line before",
  ].join("\n");
  assert.equal(subtitleText(vtt), "Tom & I don't know \u00e9 <3 no\u00a0blank line before");
  const entries =
    '1\n00:00:01,000 --> 00:00:02,000\n<font color="#fff">I <3 you</font>\n\nand him\n2\n00:00:03,000 --> 00:00:04,000\n7\n';
  assert.equal(subtitleText(entries), "I <3 you and him 7");
});
