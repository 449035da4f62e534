// A thinker's settings: what the published forms say passes, what would change numbers is refused by name.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { buildTheatreTokenizer } from "../../../src/data/theatre/tokenizer.ts";
import { parseConfig } from "../../../src/models/qwen-omni/config/config.ts";
import { requirePreprocessing } from "../../../src/models/qwen-omni/config/preprocessing.ts";
import { initTiny } from "../../../src/models/qwen-omni/init.ts";
import { loadThinker } from "../../../src/models/qwen-omni/load.ts";
import { sharedPath } from "../../support/shared.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

/** As Qwen2.5-Omni is published. */
const published = {
  ...{ chunk_length: 300, dither: 0, feature_extractor_type: "WhisperFeatureExtractor", feature_size: 128 },
  ...{
    hop_length: 160,
    image_mean: [0.48145466, 0.4578275, 0.40821073],
    image_processor_type: "Qwen2VLImageProcessor",
  },
  ...{ image_std: [0.26862954, 0.26130258, 0.27577711], max_pixels: 12845056, merge_size: 2, min_pixels: 3136 },
  ...{ n_fft: 400, n_samples: 4800000, nb_max_frames: 30000, padding_side: "right", padding_value: 0, patch_size: 14 },
  ...{ processor_class: "Qwen2_5OmniProcessor", return_attention_mask: true, sampling_rate: 16000 },
  ...{ temporal_patch_size: 2, crop_size: null, do_center_crop: false },
};

function check(name: string, json: unknown): void {
  const text = typeof json === "string" ? json : JSON.stringify(json);
  requirePreprocessing("m", new Map([[name, text]]));
}

test("preprocessing: the published values pass, alone or by parts", () => {
  check("preprocessor_config.json", published);
  check("preprocessor_config.json", {});
  check("video_preprocessor_config.json", { fps: 2, min_frames: 4, max_frames: 768, size: { shortest_edge: 3136 } });
  const omni = sharedPath("golden/qwen-omni/omni");
  if (omni) check("processor_config.json", readFileSync(join(omni, "processor_config.json"), "utf8"));
});

test("preprocessing: other values are refused by name", () => {
  for (const [change, named] of [
    [{ image_mean: [0.5, 0.5, 0.5] }, /image_mean/],
    [{ image_mean: 0.5 }, /image_mean/],
    [{ image_std: [1, 1, 1] }, /image_std/],
    [{ do_rescale: false }, /do_rescale/],
    [{ do_normalize: false }, /do_normalize/],
    [{ do_resize: false }, /do_resize/],
    [{ do_convert_rgb: false }, /do_convert_rgb/],
    [{ rescale_factor: 1 }, /rescale_factor/],
    [{ resample: 2 }, /resample/],
    [{ patch_size: 16 }, /patch_size/],
    [{ merge_size: 1 }, /merge_size/],
    [{ do_center_crop: true }, /do_center_crop/],
    [{ image_processor_type: "SiglipImageProcessor" }, /image_processor_type/],
    [{ feature_size: 80 }, /feature_size/],
    [{ sampling_rate: 24000 }, /sampling_rate/],
    [{ hop_length: 320 }, /hop_length/],
    [{ n_fft: 512 }, /n_fft/],
    [{ dither: 1e-5 }, /dither/],
    [{ padding_value: 1 }, /padding_value/],
    [{ a_new_switch: true }, /a_new_switch/],
    [{ min_pixels: 1e300 }, /min_pixels/],
    [{ min_pixels: 0 }, /min_pixels/],
    [{ max_pixels: -1 }, /max_pixels/],
    [{ min_pixels: 1, max_pixels: 783 }, /max_pixels/],
    [{ max_pixels: 3135 }, /pixels: expected at least 3136/],
    [{ min_pixels: null, max_pixels: null, size: { shortest_edge: 1000, longest_edge: 999 } }, /pixels: expected/],
    [{ size: { height: 224, width: 224 } }, /size/],
    [{ fps: 0 }, /fps/],
    [{ min_frames: 9, max_frames: 8 }, /frames: expected/],
  ] as const) {
    assert.throws(
      () => check("preprocessor_config.json", { ...published, ...change }),
      { code: "ERR_CHECKPOINT_CONFIG", message: named },
      JSON.stringify(change),
    );
  }
  for (const literal of ["Infinity", "NaN", "1e999"]) {
    assert.throws(() => check("video_preprocessor_config.json", `{"max_pixels": ${literal}}`), {
      code: "ERR_CHECKPOINT_CONFIG",
    });
  }
  assert.throws(() => check("processor_config.json", { feature_extractor: { n_fft: 512 } }), {
    message: /feature_extractor\.n_fft/,
  });
  assert.throws(() => check("processor_config.json", { image_processor: { resample: 0 } }), {
    message: /image_processor\.resample/,
  });
  assert.throws(() => check("processor_config.json", { another_part: { x: 1 } }), { message: /another_part/ });
});

test("a directory with such files is refused, and nothing is left of it", (t) => {
  const directory = join(temporaryFolder(t), "tiny");
  initTiny(directory, buildTheatreTokenizer(), 1);
  const path = join(directory, "preprocessor_config.json");
  writeFileSync(path, JSON.stringify({ ...published, image_mean: [0.5, 0.5, 0.5] }));
  assert.throws(() => loadThinker(directory), { code: "ERR_CHECKPOINT_CONFIG", message: /image_mean/ });
  writeFileSync(path, JSON.stringify(published));
  loadThinker(directory)[Symbol.dispose]();
});

type Tree = { [key: string]: Tree };

test("config.json: other towers and decoders are refused by name, older dialects pass", (t) => {
  const directory = join(temporaryFolder(t), "tiny");
  initTiny(directory, buildTheatreTokenizer(), 1);
  const config = JSON.parse(readFileSync(join(directory, "config.json"), "utf8"));
  const changed = (part: string | null, change: object) => {
    const copy = structuredClone(config) as Tree;
    Object.assign(part === null ? copy : copy[part]!, change);
    return copy;
  };
  for (const [part, change, named] of [
    ["text_config", { rope_scaling: { rope_type: "yarn", mrope_section: [4, 6, 6] } }, /yarn/],
    ["text_config", { use_sliding_window: true }, /use_sliding_window/],
    ["text_config", { is_causal: false }, /is_causal|text_config/],
    ["text_config", { attn_logit_softcapping: 50 }, /attn_logit_softcapping/],
    ["text_config", { rope_parameters: { rope_theta: 1e6, mrope_interleaved: true } }, /mrope_interleaved/],
    ["audio_config", { activation_function: "relu" }, /activation_function/],
    ["audio_config", { scale_embedding: true }, /scale_embedding/],
    ["audio_config", { n_window_infer: 400 }, /n_window_infer/],
    ["audio_config", { num_hidden_layers: 7 }, /num_hidden_layers/],
    ["vision_config", { hidden_act: "gelu" }, /hidden_act/],
    ["vision_config", { deepstack_visual_indexes: [1] }, /deepstack_visual_indexes/],
    ["vision_config", { rope_parameters: { rope_theta: 5000 } }, /rope_theta/],
    [null, { quantization_config: { bits: 4 } }, /quantization_config/],
    [null, { logit_scale: 2 }, /logit_scale/],
  ] as const) {
    assert.throws(
      () => parseConfig(changed(part, change), "c"),
      { code: "ERR_CHECKPOINT_CONFIG", message: named },
      JSON.stringify(change),
    );
  }
  for (const [part, change] of [
    ["audio_config", { num_hidden_layers: 2, encoder_layerdrop: 0, tie_word_embeddings: true, top_k: 50 }],
    ["vision_config", { embed_dim: 64, in_chans: 3, spatial_patch_size: 14, tokens_per_second: 25 }],
    ["text_config", { sliding_window: 32768, max_window_layers: 28, use_cache: true, layer_types: null }],
    [null, { ignore_index: -100, user_token_id: 872, vision_token_id: 3, _attn_implementation_autoset: true }],
  ] as const) {
    parseConfig(changed(part, change), "c");
  }
  const whole = { model_type: "qwen2_5_omni", thinker_config: config, talker_config: { x: 1 }, enable_talker: true };
  parseConfig(whole, "c");
  assert.throws(() => parseConfig({ ...whole, quantization_config: { bits: 8 } }, "c"), { message: /quantization/ });
});
