// The chat template of the theatre's policy, written to behave like Qwen2.5-Omni's: a default system turn, media parts as
// placeholder triples without separators, and an opened assistant turn on request. Jinja, rendered by the text layer.

export const defaultSystemPrompt = "You are a helpful assistant.";

const placeholder = (name: string, bracket: string): string =>
  `{{ '<|${bracket}_bos|><|${name}|><|${bracket}_eos|>' }}`;

const mediaPart = (condition: string, counter: string, label: string, flag: string, triple: string): string =>
  `${condition}{%- set counts.${counter} = counts.${counter} + 1 -%}` +
  `{%- if ${flag} -%}{{ '${label} ' ~ counts.${counter} ~ ': ' }}{%- endif -%}${triple}`;

const isPart = (kind: string): string => `part.type == '${kind}' or '${kind}' in part or '${kind}_url' in part`;

export const theatreChatTemplate: string = [
  "{%- set counts = namespace(image=0, audio=0, video=0) -%}",
  "{%- for message in messages -%}",
  `{%- if loop.first and message.role != 'system' -%}{{ '<|im_start|>system\\n${defaultSystemPrompt}<|im_end|>\\n' }}{%- endif -%}`,
  "{{ '<|im_start|>' + message.role + '\\n' }}",
  "{%- if message.content is string -%}{{ message.content }}{%- else -%}",
  "{%- for part in message.content -%}",
  mediaPart(`{%- if ${isPart("image")} -%}`, "image", "Picture", "add_vision_id", placeholder("IMAGE", "vision")),
  mediaPart(`{%- elif ${isPart("audio")} -%}`, "audio", "Audio", "add_audio_id", placeholder("AUDIO", "audio")),
  mediaPart(
    "{%- elif part.type == 'video' or 'video' in part -%}",
    "video",
    "Video",
    "add_vision_id",
    placeholder("VIDEO", "vision"),
  ),
  "{%- elif 'text' in part -%}{{ part.text }}{%- endif -%}",
  "{%- endfor -%}{%- endif -%}",
  "{{ '<|im_end|>\\n' }}",
  "{%- endfor -%}",
  "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}",
].join("");
