// Fields of a checkpoint's configuration files: every field that is there is read, is known to change no number here, is
// off, or is refused by name. A field that nobody looks at would be another model than the one asked for.
import { CheckpointError } from "../../tensor/error.ts";

/** Whether a field has the value of a setting that is not used. */
export function isOff(value: unknown, mayBeEmpty = true): boolean {
  if (value === null || value === undefined || value === false) return true;
  if (!mayBeEmpty) return false;
  if (value === 0 || value === "") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

const maxShown = 60;
const maxListed = 4;

/** Of a value that may be anything and any size, short enough for a message. */
export function shownValue(value: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    text = "a value that is nested too deeply";
  }
  return text.length > maxShown ? `${text.slice(0, maxShown)}...` : text;
}

/** What every configuration of transformers may have beside its model's own fields, none of which changes a number here. */
const COMMON: ReadonlySet<string> = new Set([
  // What it is and where it came from.
  ..."_name_or_path architectures auto_map model_type torch_dtype dtype transformers_version name_or_path".split(" "),
  ..."_commit_hash _attn_implementation attn_implementation _attn_implementation_autoset _attn_implementation_internal".split(
    " ",
  ),
  ..."_experts_implementation base_model_tp_plan base_model_pp_plan tokenizer_class prefix task_specific_params".split(
    " ",
  ),
  // Of heads for other tasks, of encoders with decoders, of TensorFlow.
  ..."finetuning_task id2label label2id num_labels problem_type decoder_start_token_id cross_attention_hidden_size".split(
    " ",
  ),
  ..."sep_token_id bos_token_id eos_token_id pad_token_id use_bfloat16 tf_legacy_loss torchscript".split(" "),
  // Of outputs and memory.
  ..."output_hidden_states output_attentions return_dict use_return_dict use_cache chunk_size_feed_forward".split(" "),
  // How weights are drawn and trained.
  ..."initializer_range init_std gradient_checkpointing ignore_index router_aux_loss_coef".split(" "),
  // Generation settings of old files. The settings of a command count.
  ..."max_length min_length do_sample early_stopping num_beams num_beam_groups diversity_penalty temperature top_k".split(
    " ",
  ),
  ..."top_p typical_p repetition_penalty length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size".split(" "),
  ..."bad_words_ids num_return_sequences output_scores return_dict_in_generate forced_bos_token_id".split(" "),
  ..."forced_eos_token_id remove_invalid_values exponential_decay_length_penalty suppress_tokens".split(" "),
  ..."begin_suppress_tokens".split(" "),
  // Marks of other tools.
  ..."unsloth_version unsloth_fixed model_name swift_version".split(" "),
]);

/** Fields whose false is the unusual value. */
const USUALLY_ON: ReadonlySet<string> = new Set(["is_causal", "causal", "qkv_bias", "use_qkv_bias", "use_rope"]);

/**
 * Refuses fields that are neither `known` nor common to all configurations, and not off.
 * @param where the object's place in the file, for errors
 * @throws CheckpointError ERR_CHECKPOINT_CONFIG
 */
export function requireKnownFields(
  json: Readonly<Record<string, unknown>>,
  known: Iterable<string>,
  path: string,
  where: string,
): void {
  const all = new Set(known);
  const isWithoutEffect = (key: string, value: unknown) => (USUALLY_ON.has(key) ? value !== false : isOff(value));
  const strange = Object.entries(json).filter(
    ([key, value]) => !all.has(key) && !COMMON.has(key) && !isWithoutEffect(key, value),
  );
  if (strange.length === 0) return;
  const listed = strange.slice(0, maxListed).map(([key, value]) => `${where}.${key} ${shownValue(value)}`);
  throw new CheckpointError(
    "ERR_CHECKPOINT_CONFIG",
    path,
    `expected settings that this model is known to have, got ${listed.join("; ")}, which may change its numbers. ` +
      "Take a field away if it changes nothing.",
  );
}
