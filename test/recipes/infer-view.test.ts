// The line that is spoken in a clip, from the file beside it.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { subtitleBeside } from "../../src/recipes/infer/infer-view.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("the file beside a clip is found in any letter case, and one that cannot be read is an error by its name", (t) => {
  const folder = temporaryFolder(t);
  const write = (name: string, text: string, encoding: BufferEncoding = "utf8") =>
    writeFileSync(join(folder, name), Buffer.from(text, encoding));
  const said = (line: string) => `1\n00:00:00,000 --> 00:00:01,000\n${line}\n`;
  const beside = (name: string) => subtitleBeside(join(folder, name));
  write("UPPER.SRT", said("an ending in capitals"));
  write("both.srt", said("the second choice"));
  write("both.vtt", `WEBVTT\n\n${said("the first choice").replaceAll(",", ".")}`);
  write("bad.srt", said("caf\u00e9"), "latin1");
  assert.equal(beside("UPPER.mp4"), "an ending in capitals");
  assert.equal(beside("both.mp4"), "the first choice");
  assert.equal(beside("none.mp4"), "");
  assert.equal(beside("UPP.mp4"), "", "another clip's file");
  assert.equal(subtitleBeside(join(folder, "absent", "x.mp4")), "");
  assert.throws(() => beside("bad.mp4"), { code: "ERR_SUBTITLES", message: /bad\.srt: expected subtitles in UTF-8/ });
});
