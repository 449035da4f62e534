// generation_config.json: the ids that end a text are read; how tokens are drawn (temperature, top_p, top_k, repetition
// penalty, lengths) is the caller's business; what would change texts beside that is refused by name.
import { OppoError } from "../../error.ts";
import { parseJsonObject } from "../../text/json-file.ts";
import { isOff, shownValue } from "./config-fields.ts";

const FILE = "generation_config.json";

/** Settings that no caller can ask for, and the value, beside off, that changes nothing. */
const REFUSED: Readonly<Record<string, unknown>> = {
  ...{ num_beams: 1, num_beam_groups: 1, penalty_alpha: 0, guidance_scale: 1, encoder_repetition_penalty: 1 },
  ...{ no_repeat_ngram_size: 0, encoder_no_repeat_ngram_size: 0, min_length: 0, min_new_tokens: 0 },
  ...{ bad_words_ids: null, force_words_ids: null, constraints: null, sequence_bias: null, stop_strings: null },
  ...{ suppress_tokens: null, begin_suppress_tokens: null, forced_bos_token_id: null, forced_eos_token_id: null },
  ...{ forced_decoder_ids: null, exponential_decay_length_penalty: null, watermarking_config: null },
};

/**
 * The end-of-sequence ids that the file names; null where there is no file or it names none.
 * @param companions the small files of a model's directory by name
 * @throws OppoError ERR_CHECKPOINT_CONFIG
 */
export function generationStopIds(companions: ReadonlyMap<string, string>): readonly number[] | null {
  const text = companions.get(FILE);
  if (text === undefined || text === "") return null;
  const json = parseJsonObject(text, FILE, "ERR_CHECKPOINT_CONFIG");
  for (const [key, harmless] of Object.entries(REFUSED)) {
    if (isOff(json[key]) || json[key] === harmless) continue;
    throw new OppoError(
      "ERR_CHECKPOINT_CONFIG",
      `${FILE}: expected ${key} to be off, got ${shownValue(json[key])}. It is not implemented; take it out of the file to go without.`,
    );
  }
  const stop = json.eos_token_id;
  if (stop === null || stop === undefined) return null;
  const ids = Array.isArray(stop) ? stop : [stop];
  if (ids.every((id) => Number.isSafeInteger(id) && id >= 0)) return ids;
  throw new OppoError(
    "ERR_CHECKPOINT_CONFIG",
    `${FILE}: expected token ids as eos_token_id, got ${shownValue(stop)}. Fetch the file again.`,
  );
}
