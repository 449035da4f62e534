"""The part of the goldens of make_golden_qwen_omni.py that is committed: at most 10 MB.

python make_compact.py --golden DIR --out DIR     (safetensors; no network)
"""
import argparse
import json
import os
import shutil

from safetensors.torch import load_file, save_file

CASES = ["text_only", "use_audio_in_video", "batch2_text_pad"]
GRADS = ["text_only", "use_audio_in_video"]
WHOLE = ["omni", "omni_shapes.json", "tables.json", "chat_cases.json", "tokenizer_cases.json", "rope_cases.json", "tokenizer", "buffers.safetensors", "qwen3_embed"]
# Parameters whose gradient and stepped value are kept.
KEPT = ["model.layers.1.self_attn", "norm"]


def thin(source, target, keeps):
    tensors = {name: value.contiguous() for name, value in load_file(source).items() if keeps(name)}
    os.makedirs(os.path.dirname(target), exist_ok=True)
    save_file(tensors, target)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--golden", required=True)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    source = lambda *parts: os.path.join(arguments.golden, *parts)  # noqa: E731
    target = lambda *parts: os.path.join(arguments.out, *parts)  # noqa: E731
    os.makedirs(arguments.out)
    for name in WHOLE:
        copy = shutil.copytree if os.path.isdir(source(name)) else shutil.copyfile
        copy(source(name), target(name))
    earlier = ("out.hidden_0", "out.hidden_1", "out.hidden_2", "hidden_0", "hidden_1", "hidden_2", "generated_logits")
    for case in CASES:
        file = os.path.join("cases", f"{case}.safetensors")
        thin(source(file), target(file), lambda name: name not in earlier and not name.startswith("raw.wave"))
    for case in GRADS:
        for end in ("json", "safetensors"):
            os.makedirs(target("grads"), exist_ok=True)
            shutil.copyfile(source("grads", f"{case}.{end}"), target("grads", f"{case}.{end}"))
    thin(source("bf16.safetensors"), target("bf16.safetensors"), lambda name: name.split(".")[0] in CASES)
    for end in ("config.json", "generation_config.json", "golden.json", "model.safetensors"):
        os.makedirs(target("qwen2_tied"), exist_ok=True)
        shutil.copyfile(source("qwen2_tied", end), target("qwen2_tied", end))

    def keeps(name):
        if name.startswith(("grad0.", "after3.")):
            return any(part in name for part in KEPT)
        return name not in earlier

    thin(source("qwen2_tied", "golden.safetensors"), target("qwen2_tied", "golden.safetensors"), keeps)
    thin(source("qwen3_embed", "golden.safetensors"), target("qwen3_embed", "golden.safetensors"), keeps)
    index = json.load(open(source("INDEX.json")))
    index["cases"] = {name: index["cases"][name] for name in CASES}
    json.dump(index, open(target("INDEX.json"), "w"), indent=1)


if __name__ == "__main__":
    main()
