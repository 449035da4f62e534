"""LoRA goldens from PEFT on the tiny thinker of make_golden_qwen_omni.py.

python make_lora.py --golden DIR --out DIR     (transformers, torch, peft, safetensors; no network)

Writes, for two choices of modules, PEFT's own adapter files and, beside them, golden.safetensors: the last logits of two
cases with the adapter on, off and merged, and the loss and its gradient for every adapter tensor.
"""
import argparse
import json
import os

import peft
import torch
import transformers
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import Qwen2_5OmniThinkerForConditionalGeneration as Thinker

ADAPTERS = {
    "decoder": dict(target_modules=r"model\.layers\.\d+\.(self_attn\.[qkvo]_proj|mlp\.(gate|up|down)_proj)", r=4, lora_alpha=6),
    # By name endings, which means the audio tower's as well; rank-stabilised.
    "endings": dict(target_modules=["q_proj", "v_proj", "fc1"], r=3, lora_alpha=5, use_rslora=True),
}
CASES = {"text_only": False, "use_audio_in_video": True}
KEPT_ROWS = 8


def inputs_of(golden, case):
    stored = load_file(os.path.join(golden, "cases", f"{case}.safetensors"))
    inputs = {name[3:]: value for name, value in stored.items() if name.startswith("in.")}
    if "video_grid_thw" in inputs and "pixel_values_videos" not in inputs:
        inputs["pixel_values_videos"] = patch_rows(stored["raw.video_0"], *inputs["video_grid_thw"][0].tolist())
    return inputs


def patch_rows(frames, t, h, w):
    """Compact goldens leave pixels out: they follow from the raw frames [T, 3, H, W]."""
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(1, 3, 1, 1) * 255
    deviation = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(1, 3, 1, 1) * 255
    x = (frames.float() - mean) / deviation
    x = x.reshape(t, 2, 3, h // 2, 2, 14, w // 2, 2, 14).permute(0, 3, 6, 4, 7, 2, 1, 5, 8)
    return x.reshape(t * h * w, 1176).contiguous()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--golden", required=True)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    for name, settings in ADAPTERS.items():
        torch.manual_seed(3)
        base = Thinker.from_pretrained(os.path.join(arguments.golden, "omni"), attn_implementation="eager", dtype=torch.float32)
        config = LoraConfig(lora_dropout=0.0, init_lora_weights=False, task_type="CAUSAL_LM", **settings)
        model = get_peft_model(base, config).eval()
        out = os.path.join(arguments.out, name)
        model.save_pretrained(out)
        saved = json.load(open(os.path.join(out, "adapter_config.json")))
        saved["base_model_name_or_path"] = "omni"
        json.dump(saved, open(os.path.join(out, "adapter_config.json"), "w"), indent=2, sort_keys=True)
        golden = {}
        for case, audio_in_video in CASES.items():
            inputs = inputs_of(arguments.golden, case)
            labels = inputs["input_ids"].clone()
            labels[:, : labels.shape[1] // 3] = -100
            model.zero_grad(set_to_none=True)
            result = model(**inputs, use_audio_in_video=audio_in_video, use_cache=False)
            logits = result.logits
            loss = torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]), labels[:, 1:].reshape(-1))
            loss.backward()
            golden[f"{case}.logits"] = logits.detach()[:, -KEPT_ROWS:]
            golden[f"{case}.loss"] = loss.detach().reshape(1)
            if audio_in_video:
                for key, parameter in model.named_parameters():
                    if parameter.requires_grad:
                        assert parameter.grad is not None, key
                        golden["grad." + key.replace("base_model.model.", "").replace(".default", "")] = parameter.grad
            with torch.no_grad(), model.disable_adapter():
                off = model(**inputs, use_audio_in_video=audio_in_video, use_cache=False).logits
                golden[f"{case}.off"] = off[:, -KEPT_ROWS:]
        merged = model.merge_and_unload()
        with torch.no_grad():
            logits = merged(**inputs_of(arguments.golden, "text_only"), use_cache=False).logits
            golden["text_only.merged"] = logits[:, -KEPT_ROWS:]
        os.remove(os.path.join(out, "README.md"))
        save_file({key: value.contiguous() for key, value in golden.items()}, os.path.join(out, "golden.safetensors"))
    versions = {module.__name__: module.__version__ for module in (torch, transformers, peft)}
    json.dump(versions, open(os.path.join(arguments.out, "versions.json"), "w"), indent=2)


if __name__ == "__main__":
    main()
