// A wrong field of a chat request is named, with what it may be and what came.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readChatBody } from "../../src/serve/model/chat-schema.ts";

const withContent = (content: unknown) => ({ messages: [{ role: "user", content }] });
const sound = (format: unknown) => withContent([{ type: "input_audio", input_audio: { data: "x", format } }]);

test("field, allowed values, and what came", () => {
  const cases: readonly (readonly [object, string, string])[] = [
    [
      sound("wma"),
      "messages.0.content.0.input_audio.format",
      'expected "wav", "mp3", "flac" or "ogg", got "wma". docs/serving.md has the fields.',
    ],
    [sound(undefined), "messages.0.content.0.input_audio.format", 'expected "wav", "mp3", "flac" or "ogg", got none'],
    [sound(7), "messages.0.content.0.input_audio.format", "got 7"],
    [
      withContent([{ type: "text", text: "a" }, { type: "file" }]),
      "messages.0.content.1.type",
      'expected "text", "image_url", "video_url", "audio_url" or "input_audio", got "file"',
    ],
    [withContent([{ type: "text" }]), "messages.0.content.0.text", "expected a string, got none"],
    [
      withContent([{ type: "video_url", video_url: {} }]),
      "messages.0.content.0.video_url.url",
      "expected a string, got none",
    ],
    [withContent(5), "messages.0.content", "expected a string or a list, got 5"],
    [withContent([]), "messages.0.content", "expected at least 1 entries, got 0"],
    [
      { messages: [{ role: "tool", content: "x" }] },
      "messages.0.role",
      'expected "system", "developer", "user" or "assistant", got "tool"',
    ],
    [{ ...withContent("x"), n: 0 }, "n", "expected at least 1, got 0"],
    [{ ...withContent("x"), temperature: "hot" }, "temperature", "expected a number, got a string"],
    [{ ...withContent("x"), temperature: 11 }, "temperature", "expected at most 10, got 11"],
    [{ ...withContent("x"), max_tokens: 1.5 }, "max_tokens", "expected a whole number, got 1.5"],
    [{ ...withContent("x"), stop: 5 }, "stop", "expected a string or a list, got 5"],
    [{}, "messages", "expected a list, got none"],
  ];
  for (const [body, param, message] of cases) {
    assert.throws(
      () => readChatBody(body),
      (error: Error & { code: string; param: string }) => {
        assert.deepEqual([error.code, error.param], ["ERR_REQUEST_FIELD", param], error.message);
        assert.ok(error.message.startsWith(`${param}: `) && error.message.includes(message), error.message);
        return true;
      },
    );
  }
  assert.doesNotThrow(() => readChatBody(sound("wav")));
  const secret = { messages: [{ role: "user", content: { password: "hunter2" } }] };
  assert.throws(
    () => readChatBody(secret),
    (error: Error) => !error.message.includes("hunter2"),
  );
});

test("unknown fields are refused by name", () => {
  assert.throws(() => readChatBody({ ...withContent("x"), best_of: 2 }), {
    code: "ERR_REQUEST_UNSUPPORTED",
    param: "best_of",
  });
  assert.throws(() => readChatBody({ ...withContent("x"), mm_processor_kwargs: { fps: 2 } }), {
    code: "ERR_REQUEST_UNSUPPORTED",
    param: "fps",
  });
});
