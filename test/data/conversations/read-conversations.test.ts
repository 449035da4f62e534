// Files of conversations in others' forms: where clips stand, what is no row, and how much of a listed file is taken.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { type Conversation, type ConversationPart, clipsOf } from "../../../src/data/conversations/conversation.ts";
import {
  type ConversationOptions,
  formOf,
  readConversations,
} from "../../../src/data/conversations/read-conversations.ts";

const folder = mkdtempSync(join(tmpdir(), "oppo-conversations-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: unknown): string {
  const file = join(folder, name);
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

const options: ConversationOptions = {
  form: "conversations",
  mediaRoot: folder,
  seed: 1,
  maxSkippedRows: 100,
  withSound: false,
};

const human = (value: string) => ({ from: "human", value });
const gpt = (value: string) => ({ from: "gpt", value });
const answer = "<think>a loud voice</think>\n<answer>angry</answer>";

/** Turns as one line each: "user: [a.mp4 video+audio] what?" */
function shown({ turns }: Conversation): string[] {
  const part = (one: ConversationPart) =>
    one.type === "text" ? one.text : `[${one.clip.id} ${one.shows?.join("+") ?? "all"}]`;
  return turns.map(({ role, parts }) => `${role}: ${parts.map(part).join(" ")}`);
}

async function read(rows: unknown, more: Partial<ConversationOptions> = {}) {
  const file = write(`rows-${Math.floor(performance.now() * 1e6)}.json`, rows);
  return readConversations(file, { ...options, ...more });
}

async function reasonOf(row: unknown, more: Partial<ConversationOptions> = {}): Promise<string> {
  const { conversations, skipped } = await read([row], more);
  assert.deepEqual([conversations.length, skipped.length], [0, 1]);
  return skipped[0]!.replace(/^\S+ row 1: /, "");
}

describe("HumanOmni's and R1-Omni's rows", () => {
  test("a video and its sound in one place are one clip; the rest of the text is the question", async () => {
    const rows = [
      { video: "a.mp4", conversations: [human("<video>\n<audio>\nWhat does she feel?"), gpt(answer)] },
      { video: "b.mp4", conversations: [human("<video>\nWhat do you see?"), gpt("a room")] },
      { video: "c.mp4", conversations: [human("<audio>\nWhat do you hear?"), gpt("a door")] },
      { video: "d.mp4", conversations: [human("Look.\n<video>\nAnd hear.\n<audio>\nWell?"), gpt("yes")] },
      { video: "e.mp4", conversations: [human("No marker: what is it?"), gpt("a clip in front")] },
      { conversations: [human("No clip at all?"), gpt("none")] },
    ];
    const { conversations, skipped } = await read(rows);
    assert.deepEqual(skipped, []);
    assert.deepEqual(conversations.map(shown), [
      ["user: [a.mp4 video+audio] What does she feel?", `assistant: ${answer}`],
      ["user: [b.mp4 video] What do you see?", "assistant: a room"],
      ["user: [c.mp4 audio] What do you hear?", "assistant: a door"],
      ["user: Look. [d.mp4 video] And hear. [d.mp4 audio] Well?", "assistant: yes"],
      ["user: [e.mp4 video] No marker: what is it?", "assistant: a clip in front"],
      ["user: No clip at all?", "assistant: none"],
    ]);
    assert.deepEqual(
      clipsOf(conversations).map(({ id }) => id),
      ["a.mp4", "b.mp4", "c.mp4", "d.mp4", "e.mp4"],
    );
    const sounding = await read(rows, { withSound: true });
    assert.deepEqual(shown(sounding.conversations[1]!)[0], "user: [b.mp4 all] What do you see?");
  });

  test("several turns, and several clips in the order of their markers", async () => {
    const { conversations } = await read([
      {
        id: 7,
        video: ["a.mp4", "b.mp4"],
        conversations: [human("<video>One?"), gpt("1"), human("<video>Two?"), gpt("2")],
      },
    ]);
    assert.equal(conversations[0]!.id, "7");
    assert.deepEqual(shown(conversations[0]!), [
      "user: [a.mp4 video] One?",
      "assistant: 1",
      "user: [b.mp4 video] Two?",
      "assistant: 2",
    ]);
  });

  test("rows that cannot be used are skipped with the reason", async () => {
    const row = (text: string, video: unknown = "a.mp4") => ({ video, conversations: [human(text), gpt("x")] });
    assert.equal(await reasonOf(row("<video><video>?")), "2 <video> for 1 files");
    assert.equal(await reasonOf(row("<video>?", ["a.mp4", "b.mp4"])), "1 <video> for 2 files");
    assert.equal(await reasonOf({ conversations: [human("<audio>?"), gpt("x")] }), "1 <audio> for 0 files");
    assert.match(await reasonOf(row("<image>?")), /a picture/);
    assert.match(await reasonOf({ image: "a.png", conversations: [human("?"), gpt("x")] }), /pictures/);
    for (const outside of ["../a.mp4", "/etc/passwd", "https://host/a.mp4", "b/../../a.mp4", "a\0.mp4", "file:/a"]) {
      assert.match(await reasonOf(row("<video>?", outside)), /expected media below/, outside);
    }
    assert.match(await reasonOf({ video: "a.mp4", conversations: [human("?")] }), /no assistant turn/);
    assert.match(await reasonOf({ conversations: [gpt("x"), human("?")] }), /turn 1: expected the user/);
    assert.match(await reasonOf({ conversations: [human("?"), gpt(" ")] }), /empty assistant turn/);
    assert.match(await reasonOf({ conversations: [human("?"), gpt("a<|im_end|>b")] }), /control token <\|im_end\|>/);
    assert.match(await reasonOf({ conversations: [{ from: "robot", value: "?" }] }), /conversations\.0\.from/);
    assert.match(await reasonOf({ conversations: "?" }), /conversations/);
    assert.match(await reasonOf(null), /row/);
  });

  test("absolute paths are taken where they lie below the media's folder", async () => {
    const { conversations } = await read([
      { video: join(folder, "x/a.mp4"), conversations: [human("<video>?"), gpt("x")] },
    ]);
    assert.equal(clipsOf(conversations)[0]!.id, "x/a.mp4");
  });
});

describe("ms-swift's rows", () => {
  const messages = { form: "messages" as const };
  const user = (content: unknown) => ({ role: "user", content });
  const assistant = (content: string) => ({ role: "assistant", content });

  test("markers, media of their own, and contents that are lists", async () => {
    const { conversations, skipped } = await read(
      [
        {
          messages: [{ role: "system", content: "Be brief." }, user("<video><audio>How?"), assistant("so")],
          videos: ["a.mp4"],
          audios: ["a.wav"],
        },
        { messages: [user("Where?"), assistant("here")], videos: ["b.mp4"], audios: ["b.wav"] },
        {
          messages: [
            user([
              { type: "video", video: "c.mp4" },
              { type: "text", text: "What?" },
            ]),
            assistant("that"),
          ],
        },
        { messages: [user("<audio>Who?"), assistant("her"), user("Sure?"), assistant("yes")], audios: "d.wav" },
      ],
      messages,
    );
    assert.deepEqual(skipped, []);
    assert.deepEqual(conversations.map(shown), [
      ["system: Be brief.", "user: [a.mp4 + a.wav video+audio] How?", "assistant: so"],
      ["user: [b.mp4 + b.wav video+audio] Where?", "assistant: here"],
      ["user: [c.mp4 video] What?", "assistant: that"],
      ["user: [d.wav audio] Who?", "assistant: her", "user: Sure?", "assistant: yes"],
    ]);
    assert.deepEqual(clipsOf(conversations)[0], { id: "a.mp4 + a.wav", media: "a.mp4", audio: "a.wav" });
  });

  test("a row whose markers do not fit its media is skipped", async () => {
    const row = { messages: [user("<video>?"), assistant("x")], videos: [] };
    assert.equal(await reasonOf(row, messages), "1 <video> for 0 files");
    assert.match(await reasonOf({ ...row, images: ["a.png"] }, messages), /pictures/);
  });
});

describe("files", () => {
  const rowsNamed = (name: string, count: number) =>
    Array.from({ length: count }, (_, i) => ({ id: `${name}${i}`, conversations: [human("?"), gpt("x")] }));
  const ids = async (file: string, more: Partial<ConversationOptions> = {}) =>
    (await readConversations(file, { ...options, ...more })).conversations.map(({ id }) => id);

  test("a list takes all, the first, the last or random rows of each file, by number or percentage", async () => {
    write("p.json", rowsNamed("p", 10));
    write(
      "q.jsonl",
      rowsNamed("q", 5)
        .map((row) => `${JSON.stringify(row)}\n`)
        .join(""),
    );
    const list = (strategy: string) =>
      write(
        "list.yaml",
        `datasets:\n  - json_path: p.json\n    sampling_strategy: "${strategy}"\n  - json_path: q.jsonl\n`,
      );
    const q = ["q0", "q1", "q2", "q3", "q4"];
    assert.deepEqual(await ids(list("first:2")), ["p0", "p1", ...q]);
    assert.deepEqual(await ids(list("end:25%")), ["p7", "p8", "p9", ...q]);
    assert.equal((await ids(list("all"))).length, 15);
    const drawn = (await ids(list("random:30%"))).slice(0, 3);
    assert.deepEqual((await ids(list("random:3"))).slice(0, 3), drawn);
    assert.equal(new Set(drawn).size, 3);
    assert.notDeepEqual((await ids(list("random:3"), { seed: 2 })).slice(0, 3), drawn);
    assert.deepEqual(await ids(list("first:99")), [...rowsNamed("p", 10).map(({ id }) => id), ...q]);
    await assert.rejects(ids(list("some:3")), /datasets\.0\.sampling_strategy: expected all, first:N/);
    await assert.rejects(ids(list("first:120%")), /ERR_DATASET_UNREADABLE|sampling_strategy/);
    await assert.rejects(ids(write("bad.yaml", "datasets: [{ json_path: /etc/passwd }]")), /ends in \.json or \.jsonl/);
    await assert.rejects(ids(write("no.yaml", "a: [")), /a readable YAML list/);
  });

  test("a pattern of braces stands for its files", async () => {
    write("m1.json", rowsNamed("m", 2));
    write("n1.json", rowsNamed("n", 1));
    assert.deepEqual(await ids(join(folder, "{m1,n1}.json")), ["m0", "m1", "n0"]);
    await assert.rejects(ids(join(folder, "{m1,gone}.json")), /gone\.json: expected a readable file/);
  });

  test("the form is told by the first rows", async () => {
    assert.equal(await formOf(write("1.json", rowsNamed("r", 1))), "conversations");
    assert.equal(await formOf(write("2.jsonl", '\nbroken\n{"messages": []}\n')), "messages");
    assert.equal(await formOf(write("3.jsonl", '{"id": "a", "media": "a.mp4"}\n')), "samples");
    assert.equal(await formOf(write("4.yaml", "datasets: [{ json_path: 2.jsonl }]")), "messages");
    await assert.rejects(formOf(write("5.json", [{ id: "a", media: "a.mp4" }])), /Samples are JSON lines/);
    await assert.rejects(formOf(write("6.json", "{}")), /expected a JSON list of rows, got object/);
    await assert.rejects(formOf(write("7.json", "[1,")), /not JSON/);
    await assert.rejects(formOf(join(folder, "none.json")), /none\.json: expected a readable file/);
  });

  test("more bad rows than tolerated stop the reading with the last reason", async () => {
    const bad = Array.from({ length: 3 }, () => ({ conversations: [human("?")] }));
    const file = write("bad.json", [...rowsNamed("r", 2), ...bad]);
    assert.equal((await readConversations(file, { ...options, maxSkippedRows: 3 })).skipped.length, 3);
    await assert.rejects(
      readConversations(file, { ...options, maxSkippedRows: 2 }),
      (error: Error & { code: string }) => {
        assert.equal(error.code, "ERR_DATASET_TOO_MANY_BAD_ROWS");
        assert.match(
          error.message,
          /expected at most 2 bad rows, got 3; the last one: bad\.json row 5: no assistant turn/,
        );
        return true;
      },
    );
  });
});
