// generation_config.json: its end ids, and what is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import { generationStopIds } from "../../src/models/checkpoint/generation-settings.ts";

const of = (json: object) => generationStopIds(new Map([["generation_config.json", JSON.stringify(json)]]));

test("end ids are read, drawing is the caller's business", () => {
  assert.equal(generationStopIds(new Map()), null);
  assert.equal(of({ temperature: 0.7, top_p: 0.8, top_k: 20, repetition_penalty: 1.05, do_sample: true }), null);
  assert.deepEqual(of({ eos_token_id: [1, 2], num_beams: 1, guidance_scale: 1, bad_words_ids: null }), [1, 2]);
  assert.deepEqual(of({ eos_token_id: 7, max_new_tokens: 2048 }), [7]);
  for (const wrong of [-1, 1.5, "7", [[1]]]) {
    assert.throws(() => of({ eos_token_id: wrong }), { code: "ERR_CHECKPOINT_CONFIG", message: /eos_token_id/ });
  }
});

test("what nobody here can do is refused by name", () => {
  for (const [key, value] of Object.entries({
    ...{ num_beams: 4, no_repeat_ngram_size: 3, guidance_scale: 1.5, penalty_alpha: 0.6, min_new_tokens: 10 },
    ...{ suppress_tokens: [1], begin_suppress_tokens: [2], bad_words_ids: [[3]], stop_strings: ["x"] },
    ...{ forced_bos_token_id: 5, forced_eos_token_id: 6, sequence_bias: [[[1], -10]], min_length: 4 },
  })) {
    assert.throws(() => of({ [key]: value }), { code: "ERR_CHECKPOINT_CONFIG", message: new RegExp(key) });
  }
});
