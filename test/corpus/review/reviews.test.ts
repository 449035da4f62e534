// What stands after decisions: order, undoing, disagreement, agreement, the row that comes out; and lines that are no decisions.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkDecision, type Decision, parseDecision } from "../../../src/corpus/review/decision.ts";
import { reviewedRow } from "../../../src/corpus/review/reviewed-row.ts";
import { Reviews } from "../../../src/corpus/review/reviews.ts";
import type { Cue } from "../../../src/evidence/cue.ts";

const smile: Cue = { kind: "video", text: "a smile" };
const shout: Cue = { kind: "audio", text: "a shout" };
const cues = [smile, shout];
let count = 0;

function decision(by: string, act: Decision["act"], cue?: Cue, more: Partial<Decision> = {}): Decision {
  const id = `decision-${count++}`;
  const whole = {
    version: 1,
    id,
    at: "2026-03-01T10:00:00.000Z",
    by,
    sample: "s",
    act,
    ...(cue ? { cue } : {}),
    ...more,
  };
  const checked = checkDecision(whole);
  assert.ok("decision" in checked, JSON.stringify(checked));
  return checked.decision;
}

function reviewsOf(...decisions: readonly Decision[]): Reviews {
  const reviews = new Reviews();
  for (const one of decisions) assert.equal(reviews.add(one), null);
  return reviews;
}

const own = { size: 2, has: (key: string) => ["video:a smile", "audio:a shout"].includes(key) };

describe("what stands", () => {
  test("an annotator's last word about a cue; two that differ disagree", () => {
    const reviews = reviewsOf(
      decision("ada", "accept", smile),
      decision("bo", "accept", smile),
      decision("ada", "reject", smile),
    );
    assert.equal(reviews.isDisagreed("s", 2), false);
    assert.equal(reviews.isDisagreed("s"), true);
    const [first] = reviews.judged("s", cues);
    assert.deepEqual(
      first!.verdicts.map(({ by, act }) => [by, act]),
      [
        ["bo", "accept"],
        ["ada", "reject"],
      ],
    );
    assert.equal(reviews.numOpen("s", own, "ada"), 1);
    assert.equal(reviews.numOpen("s", own, "new"), 2);
  });

  test("undoing makes one's own last decision void, and at an earlier place of the journal it still stands", () => {
    const first = decision("ada", "accept", smile);
    const second = decision("ada", "reject", smile);
    const reviews = reviewsOf(first, second);
    assert.equal(reviews.lastOf("ada")?.id, second.id);
    assert.equal(reviews.add(decision("ada", "undo", undefined, { undoes: second.id })), null);
    assert.equal(reviews.judged("s", cues)[0]!.verdicts[0]!.act, "accept");
    assert.equal(reviews.judged("s", cues, 2)[0]!.verdicts[0]!.act, "reject");
    assert.equal(reviews.lastOf("ada")?.id, first.id);
    assert.match(reviews.add(decision("bo", "undo", undefined, { undoes: first.id }))!, /undoes none/);
    assert.equal(reviews.lastOf("bo"), null);
  });

  test("a decision that arrives twice counts once", () => {
    const one = decision("ada", "accept", smile);
    const reviews = reviewsOf(one, one);
    assert.equal(reviews.total, 1);
  });

  test("an added cue is open for others, and counts as accepted by whoever added it", () => {
    const tears: Cue = { kind: "video", text: "tears" };
    const reviews = reviewsOf(decision("ada", "add", tears));
    assert.equal(reviews.numOpen("s", own, "bo"), 3);
    assert.equal(reviews.numOpen("s", own, "ada"), 2);
    assert.equal(reviews.agreement("ada", "bo").all.n, 0);
    reviews.add(decision("bo", "reject", tears));
    assert.equal(reviews.isDisagreed("s"), true);
    const { video, all } = reviews.agreement("ada", "bo");
    assert.deepEqual([video.n, video.observed, all.n], [1, 0, 1]);
  });

  test("corrections agree when they say the same", () => {
    const grin = { kind: "video", text: "a grin" } as const;
    const reviews = reviewsOf(
      decision("ada", "correct", smile, { to: grin }),
      decision("bo", "correct", smile, { to: grin }),
      decision("ada", "accept", shout),
      decision("bo", "correct", shout, { to: { kind: "audio", text: "a cry" } }),
    );
    const { video, audio, all } = reviews.agreement("ada", "bo");
    assert.deepEqual([video.observed, audio.observed], [1, 0]);
    // two cues, one the same; by chance only "correct to a grin", 1/2 * 1/2
    assert.ok(Math.abs(all.kappa! - 1 / 3) < 1e-12);
  });
});

describe("the row that comes out", () => {
  const row = {
    name: "s",
    video: "a.mp4",
    cues: [{ ...smile, confidence: 0.4 }, shout],
    more: [1, { x: 2 }],
    meta: { a: 1 },
  };
  const sample = { row, id: "s", cues };
  const tears: Cue = { kind: "video", text: "tears" };

  test("keeps the row's own keys; cues as they stand; what was decided in its extras", () => {
    const reviews = reviewsOf(
      decision("ada", "accept", smile),
      decision("ada", "correct", shout, { to: { kind: "audio", text: "a cry" } }),
      decision("ada", "add", tears),
    );
    const out = reviewedRow(sample, reviews, { by: null, fields: {} });
    assert.deepEqual(out.cues, [{ ...smile, confidence: 0.4 }, { kind: "audio", text: "a cry" }, tears]);
    const { review, a } = out.meta as {
      a: number;
      review: { by: string[]; isDisagreed: boolean; decisions: unknown[] };
    };
    assert.deepEqual([a, review.by, review.isDisagreed, review.decisions.length], [1, ["ada"], false, 3]);
    assert.deepEqual([out.name, out.video, out.more], [row.name, row.video, row.more]);
    assert.equal(row.cues.length, 2);
  });

  test("one annotator's decisions alone, or everybody's with the last word", () => {
    const reviews = reviewsOf(
      decision("ada", "reject", smile),
      decision("bo", "accept", smile),
      decision("bo", "add", tears),
    );
    const cuesOf = (by: string | null) =>
      (reviewedRow(sample, reviews, { by, fields: {} }).cues as Cue[]).map(({ text }) => text);
    assert.deepEqual(cuesOf("ada"), ["a shout"]);
    assert.deepEqual(cuesOf("bo"), ["a smile", "a shout", "tears"]);
    assert.deepEqual(cuesOf(null), ["a smile", "a shout", "tears"]);
    assert.deepEqual(reviewedRow(sample, reviews, { by: "new", fields: {} }), row);
  });
});

test("lines that are no decisions have a reason", () => {
  const good = decision("ada", "accept", smile);
  assert.ok("decision" in parseDecision(JSON.stringify(good)));
  for (const [line, reason] of [
    ['{"version":1,"id":"decisi', /not JSON/],
    ["[]", /decision|object/],
    [JSON.stringify({ ...good, version: 2 }), /version/],
    [JSON.stringify({ ...good, by: " " }), /by/],
    [JSON.stringify({ ...good, act: "erase" }), /act/],
    [JSON.stringify({ ...good, to: smile }), /to/],
    [JSON.stringify({ ...good, cue: undefined }), /cue/],
    [JSON.stringify({ ...good, cue: { ...smile, text: "x".repeat(301) } }), /cue/],
    [JSON.stringify({ ...good, act: "undo", cue: undefined }), /undoes/],
  ] as const) {
    const parsed = parseDecision(line);
    assert.ok("reason" in parsed, line);
    assert.match(parsed.reason, reason);
  }
});
