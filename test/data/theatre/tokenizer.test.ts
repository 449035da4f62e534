// The constructed tokenizer, read by the same library as any Hugging Face tokenizer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Template } from "@huggingface/jinja";
import { Tokenizer } from "@huggingface/tokenizers";
import { drawScene } from "../../../src/data/theatre/draw.ts";
import { annotate, drawProbe, promptText, theatreTexts } from "../../../src/data/theatre/script.ts";
import { buildTheatreTokenizer, theatreWords } from "../../../src/data/theatre/tokenizer.ts";
import { createRandom } from "../../../src/random.ts";
import { deriveSeed } from "../../../src/seeds.ts";

const files = buildTheatreTokenizer();
const tokenizer = new Tokenizer(files.tokenizerJson, files.tokenizerConfig);
const ids = (text: string): number[] => tokenizer.encode(text, { add_special_tokens: false }).ids;
const text = (tokens: number[]): string => tokenizer.decode(tokens, { skip_special_tokens: false });

/** Every policy output row is a vocabulary row wide: growth here slows training down. */
const maxVocabulary = 1600;

test("each word is one token with and without a leading space, and ids are compact", () => {
  const words = theatreWords();
  assert.ok(words.length > 200);
  for (const word of words) {
    assert.equal(ids(word).length, 1, word);
    assert.equal(ids(` ${word}`).length, 1, ` ${word}`);
  }
  // Negative control: a word that is not in the theatre takes more.
  assert.ok(ids("zeppelins").length > 1);
  const last = ids("</answer>")[0]!;
  assert.ok(last < maxVocabulary, `vocabulary of ${last + 1}`);
});

test("a response has one token per word, tag and mark", () => {
  const response =
    "<think>the video shows a furrowed brow, narrowed eyes. this suggests the person is furious.</think><answer>furious, angry</answer><|im_end|>";
  // 4 tags and the end, 14 words in the thought with 1 comma and 2 full stops, 2 words and 1 comma in the answer.
  assert.equal(ids(response).length, 5 + 14 + 3 + 3);
  assert.equal(text(ids(response)), response);
});

test("everything the theatre writes comes back unchanged", () => {
  for (const line of theatreTexts()) assert.equal(text(ids(line)), line);
  for (let i = 0; i < 300; i += 1) {
    const scene = drawScene("train", deriveSeed(3, "tokens", i));
    const random = createRandom(i);
    const probe = drawProbe(scene, "audio", random);
    for (const line of [annotate(scene, random).reasoning, promptText(scene.subtitle, probe.question), probe.think]) {
      const tokens = ids(line);
      assert.equal(text(tokens), line);
      const numWordsAndMarks = line.match(/\p{L}+|[.,:?]/gu)!.length;
      assert.equal(tokens.length, numWordsAndMarks, line);
    }
  }
});

test("any other text survives through bytes", () => {
  for (const line of ["Caf\u00e9 \u4f60\u597d 42!\n\ttabs", "\ud83d\ude42 x", "don't  stop"]) {
    assert.equal(text(ids(line)), line.normalize("NFC"));
  }
});

test("tags survive when special tokens are skipped", () => {
  const response = "<think>the video shows a smile.</think><answer>happy</answer><|im_end|>";
  assert.equal(
    tokenizer.decode(ids(response), { skip_special_tokens: true }),
    "<think>the video shows a smile.</think><answer>happy</answer>",
  );
});

test("the chat template renders Qwen2.5-Omni's layout", () => {
  const template = new Template(files.chatTemplate);
  const content = [{ type: "video" }, { type: "audio" }, { type: "text", text: "why?" }];
  const rendered = template.render({ messages: [{ role: "user", content }], add_generation_prompt: true });
  assert.equal(
    rendered,
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n" +
      "<|im_start|>user\n<|vision_bos|><|VIDEO|><|vision_eos|><|audio_bos|><|AUDIO|><|audio_eos|>why?<|im_end|>\n" +
      "<|im_start|>assistant\n",
  );
  assert.equal(
    template.render({
      messages: [
        { role: "system", content: "be brief" },
        { role: "user", content: "hello" },
        { role: "assistant", content: "hi" },
      ],
    }),
    "<|im_start|>system\nbe brief<|im_end|>\n<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\nhi<|im_end|>\n",
  );
  assert.equal(
    template.render({ messages: [{ role: "system", content }], add_vision_id: true, add_audio_id: true }),
    "<|im_start|>system\nVideo 1: <|vision_bos|><|VIDEO|><|vision_eos|>Audio 1: <|audio_bos|><|AUDIO|><|audio_eos|>why?<|im_end|>\n",
  );
});
