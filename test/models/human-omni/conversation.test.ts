// Prompts from conversations: the reference's texts for every use, pieces tokenised apart, texts that stay texts, what the gate reads,
// and what cannot be a prompt.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { buildTheatreTokenizer } from "../../../src/data/theatre/tokenizer.ts";
import { chatTokens, type PromptMaker, promptTokens } from "../../../src/models/human-omni/conversation.ts";
import { placeholders } from "../../../src/models/human-omni/prompt.ts";
import type { ChatTurn, ClipShape, PromptPart } from "../../../src/models/omni-model.ts";
import { initFresh, loadModel } from "../../../src/models/registry.ts";
import { createChatTemplate, loadChatTemplate } from "../../../src/text/chat-template.ts";
import { loadTokenizer } from "../../../src/text/tokenizer.ts";
import { createWordPiece } from "../../../src/text/word-piece.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { goldenJson, goldenOptions, modelFolder } from "./golden.ts";

const question = createWordPiece("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nwhat\n?\n", "vocab.txt", {
  maxTokens: 8,
  lowercase: true,
  maxPieces: 7,
});

const golden = (): PromptMaker => ({
  tokenizer: loadTokenizer(modelFolder()),
  template: loadChatTemplate(modelFolder()),
  question,
});

const shape = (video: number, audio: number): ClipShape => {
  const of = (numTokens: number) => (numTokens === 0 ? null : { key: String(numTokens), numTokens });
  return { video: of(video), audio: of(audio) } as ClipShape;
};

const userTurn = (...parts: readonly PromptPart[]): ChatTurn => ({ role: "user", parts });
const clip = (video: number, audio: number): PromptPart => ({ type: "clip", clip: shape(video, audio) });
const text = (words: string): PromptPart => ({ type: "text", text: words });

/** A prompt's text, with the reference's tags for its media. */
function shown({ tokenizer }: PromptMaker, ids: Int32Array): string {
  const tags = new Map<number, string>(Object.entries(placeholders).map(([kind, id]) => [id, `<${kind}>`]));
  const groups: string[] = [];
  let run: number[] = [];
  for (const [i, id] of ids.entries()) {
    if (id >= 0) run.push(id);
    else if (ids[i - 1] !== id) {
      groups.push(tokenizer.decode(run), tags.get(id)!);
      run = [];
    }
  }
  return groups.join("") + tokenizer.decode(run);
}

test("the reference's prompt texts: inference, fine-tuning, reinforcement learning", goldenOptions, () => {
  const maker = golden();
  type Prompts = {
    questions: Record<string, string>;
    inference: Record<string, { modal: string; question: string; prompt: string }>;
    sft: { prompt: string; supervised_text: string };
    rl: { prompt: string };
  };
  const { inference, sft, rl, questions } = goldenJson<Prompts>("prompts.json");
  for (const [name, { modal, question: asked, prompt }] of Object.entries(inference)) {
    const medium: PromptPart =
      modal === "image"
        ? { type: "image", image: shape(3, 0) }
        : clip(modal.includes("video") ? 5 : 0, modal.includes("audio") ? 4 : 0);
    assert.equal(shown(maker, chatTokens([userTurn(medium, text(asked))], {}, maker).ids), prompt, name);
    if (modal !== "image") {
      const own = promptTokens(asked, (medium as { clip: ClipShape }).clip, undefined, maker);
      assert.equal(shown(maker, own.ids), prompt, `${name}, short form`);
    }
  }
  const trained = chatTokens([userTurn(clip(5, 4), text(questions.sft!))], { layout: "sft" }, maker);
  assert.equal(shown(maker, trained.ids) + sft.supervised_text, sft.prompt);
  const rollout = chatTokens([userTurn(clip(5, 4), text(questions.rl!))], { layout: "rl" }, maker);
  assert.equal(shown(maker, rollout.ids), rl.prompt);
  assert.notEqual(
    shown(maker, trained.ids),
    shown(maker, chatTokens([userTurn(clip(5, 4), text(questions.sft!))], {}, maker).ids),
  );
});

test("ids of plain texts and of pieces between placeholders", goldenOptions, () => {
  const { tokenizer } = golden();
  type Rows = readonly (readonly [string, readonly number[], readonly number[]])[];
  const { plain, piecewise } = goldenJson<{ plain: Rows; piecewise: Rows }>("prompts.json");
  for (const [words, ids] of plain) assert.deepEqual([...tokenizer.encode(words)], ids, words);
  for (const [words, ids] of piecewise) {
    const pieces = words.split(/(<image>|<video>|<audio>)/);
    const own = pieces.flatMap((piece) => {
      const kind = /^<(image|video|audio)>$/.exec(piece)?.[1] as keyof typeof placeholders | undefined;
      return kind === undefined ? [...tokenizer.encode(piece)] : [placeholders[kind]];
    });
    assert.deepEqual(own, ids, words);
  }
});

test(
  "a tag in a question stays text, and so do control tokens; the gate reads the question as it was put",
  goldenOptions,
  () => {
    const maker = golden();
    const asked = "what <audio> \ue000 <video><|im_end|> ?";
    const { ids, question: read } = promptTokens(asked, shape(2, 0), undefined, maker);
    assert.equal(ids.filter((id) => id < 0).length, 2);
    assert.match(shown(maker, ids), /what <audio> \ue000 <video>< \|im_end\|> \?<\|im_end\|>/);
    assert.deepEqual([...read], [...question.encode(asked)]);
    const plain = promptTokens("what ?", shape(2, 0), undefined, maker);
    assert.notEqual(plain.lens, promptTokens("what what ?", shape(2, 0), undefined, maker).lens);
    assert.equal(plain.lens, promptTokens("WHAT\n\n?", shape(2, 5), undefined, maker).lens);
  },
);

test(
  "conversations: a system turn, turns before, several media; the gate reads the last question",
  goldenOptions,
  () => {
    const maker = golden();
    const image: PromptPart = { type: "image", image: shape(1, 0) };
    const turns: ChatTurn[] = [
      { role: "system", parts: [text("Be brief.")] },
      userTurn(clip(2, 3), text("what ?")),
      { role: "assistant", parts: [text("<think>a</think>")] },
      userTurn(image, clip(4, 0), text("and what ?")),
    ];
    const { ids, question: read } = chatTokens(turns, {}, maker);
    assert.equal(
      shown(maker, ids),
      "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n<vi_start><video><vi_end>\n<au_start><audio><au_end>\nwhat ?<|im_end|>\n" +
        "<|im_start|>assistant\n<think>a</think><|im_end|>\n<|im_start|>user\n<im_start><image><im_end>\n<vi_start><video><vi_end>\nand what ?<|im_end|>\n" +
        "<|im_start|>assistant\n",
    );
    assert.deepEqual(
      [...ids.filter((id) => id < 0)].map(String).join(),
      [-201, -201, -202, -202, -202, -200, -201, -201, -201, -201].join(),
    );
    assert.deepEqual([...read], [...question.encode("and what ?")]);
  },
);

test("what cannot be a prompt", goldenOptions, () => {
  const maker = golden();
  const turn = userTurn(clip(1, 1), text("?"));
  assert.throws(() => chatTokens([], {}, maker), { code: "ERR_EMPTY_PROMPT" });
  assert.throws(() => chatTokens([turn], { layout: "audio-in-video" }, maker), {
    code: "ERR_PROMPT_MEDIA",
    message: /expected a layout among inference, sft, rl, got audio-in-video/,
  });
  assert.throws(() => chatTokens([userTurn({ type: "image", image: shape(0, 1) })], {}, maker), {
    code: "ERR_PROMPT_MEDIA",
  });
  assert.throws(() => chatTokens([{ role: "assistant", parts: [clip(1, 1)] }, turn], {}, maker), {
    code: "ERR_PROMPT_MEDIA",
  });
  const deaf = { ...maker, template: createChatTemplate("{{ messages[0].role }}") };
  assert.throws(() => chatTokens([turn], {}, deaf), { code: "ERR_PLACEHOLDER_COUNT", message: /all 2 media, got 0/ });
});

test("the tokenizer of a new model of a published shape has the published ids", async (t) => {
  const directory = join(temporaryFolder(t), "tiny");
  await initFresh("human-omni-tiny", directory, buildTheatreTokenizer(), { seed: 1, dtype: "float32" });
  using model = await loadModel(directory);
  const tokens = model.promptTokens("How does she feel?", shape(2, 1));
  assert.equal(tokens.ids.filter((id) => id < 0).length, 3);
  assert.equal(model.decodePieces(model.encodeText("<|im_start|>")).join(""), "<|im_start|>");
  assert.equal(model.encodeText("<|video_pad|>").length, 1);
});
