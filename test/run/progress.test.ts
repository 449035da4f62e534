// What a person sees while a run goes on, on a terminal and in a log file.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createProgress, formatDuration } from "../../src/run/progress.ts";

function fake(isTTY: boolean, columns = 200) {
  let text = "";
  let time = 0;
  const progress = createProgress({ isTTY, columns, write: (part: string) => (text += part) }, () => time);
  return {
    progress,
    passMilliseconds: (milliseconds: number) => {
      time += milliseconds;
    },
    take: () => {
      const taken = text;
      text = "";
      return taken;
    },
  };
}

describe("progress", () => {
  it("prints a plain line every ten seconds where there is no terminal", () => {
    const { progress, passMilliseconds, take } = fake(false);
    const stage = progress.stage("train oppo", 40);
    for (let step = 1; step <= 12; step++) {
      passMilliseconds(1000);
      stage.update(step, `reward ${step}`);
    }
    // At 10 s 10 of 40 are done: 30 more at 1 s each.
    assert.equal(take(), "train oppo  [#####---------------]  10/40  30.0 s left  reward 10\n");
    stage.finish();
    assert.equal(take(), "train oppo  12/40  12.0 s  reward 12\n");
  });

  it("redraws one line on a terminal, not more often than ten times a second", () => {
    const { progress, passMilliseconds, take } = fake(true);
    const stage = progress.stage("render", 10);
    assert.equal(take(), "\r\x1b[2Krender  [--------------------]  0/10");
    passMilliseconds(50);
    stage.advance();
    assert.equal(take(), "");
    passMilliseconds(50);
    stage.advance();
    assert.equal(take(), "\r\x1b[2Krender  [####----------------]  2/10  0.4 s left");
  });

  it("puts log lines above the line and draws it again", () => {
    const { progress, take } = fake(true);
    const stage = progress.stage("render", 10);
    take();
    progress.log("skipped clip 3");
    assert.equal(take(), "\r\x1b[2Kskipped clip 3\n\r\x1b[2Krender  [--------------------]  0/10");
    stage.finish("10 clips, 1 skipped");
    assert.equal(take(), "\r\x1b[2Krender  0/10  0.0 s  10 clips, 1 skipped\n");
    stage.finish();
    progress.log("next");
    assert.equal(take(), "next\n");
  });

  it("lets stages share the line, with the time left of the slowest", () => {
    const { progress, passMilliseconds, take } = fake(true);
    const [fast, slow] = [progress.stage("a", 10), progress.stage("b", 10)];
    passMilliseconds(1000);
    fast.update(5);
    passMilliseconds(1000);
    take();
    slow.update(2, "kl 0.1");
    assert.equal(take(), "\r\x1b[2K8.0 s left  a 5/10 | b 2/10 kl 0.1");
    fast.finish();
    assert.equal(take(), "\r\x1b[2Ka  5/10  2.0 s\n\r\x1b[2Kb  [####----------------]  2/10  8.0 s left  kl 0.1");
  });

  it("never wraps and clears its line at the end", () => {
    const { progress, take } = fake(true, 30);
    progress.stage("a stage with a name that is far too long", 10);
    assert.equal(take().replace("\r\x1b[2K", "").length, 29);
    progress[Symbol.dispose]();
    assert.equal(take(), "\r\x1b[2K");
  });

  it("writes durations for people", () => {
    assert.deepEqual([0, 4200, 59_949, 59_951, 83_000, 3_723_000].map(formatDuration), [
      "0.0 s",
      "4.2 s",
      "59.9 s",
      "1:00",
      "1:23",
      "1:02:03",
    ]);
  });
});
