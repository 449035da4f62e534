// A clip as parts of a message.
import assert from "node:assert/strict";
import { test } from "node:test";
import { soundPart, videoPart } from "../../src/corpus/clips/chat-parts.ts";

test("a video as a data: URL of its kind, a sound as the base64 of a WAV file", () => {
  const video = videoPart({ bytes: Uint8Array.of(1, 2, 3), mimeType: "video/webm" });
  assert.deepEqual(video, { type: "video_url", video_url: { url: "data:video/webm;base64,AQID" } });
  const sound = soundPart({ waveform: new Float32Array(4), sampleRateHz: 16000 });
  assert.ok(sound.type === "input_audio");
  const bytes = Buffer.from(sound.input_audio.data, "base64");
  assert.deepEqual([bytes.subarray(0, 4).toString(), bytes.readUInt32LE(24)], ["RIFF", 16000]);
});
