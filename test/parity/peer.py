"""The other side of parity.ts: loads what we saved with transformers (and peft), and answers with logits.

One JSON request per line, one JSON answer per line. Tensors travel as safetensors files.
"""
import json
import sys
import warnings

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer
from transformers import Qwen2_5OmniThinkerForConditionalGeneration as Thinker
from transformers.utils import logging

logging.disable_progress_bar()

CLASSES = {"thinker": Thinker, "causal": AutoModelForCausalLM, "base": AutoModel}


def load(request):
    model, info = CLASSES[request["kind"]].from_pretrained(
        request["directory"], attn_implementation="eager", dtype="auto", output_loading_info=True
    )
    report = {
        "missing": sorted(info["missing_keys"]),
        "unexpected": sorted(info["unexpected_keys"]),
        "mismatched": sorted(str(key) for key in info["mismatched_keys"]),
        "dtype": str(model.dtype).removeprefix("torch."),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
    }
    adapter = request.get("adapter")
    if adapter:
        from peft import PeftModel

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = PeftModel.from_pretrained(model, adapter)
        report["missing"] += [str(warning.message) for warning in caught if "missing" in str(warning.message)]
        with safe_open(f"{adapter}/adapter_model.safetensors", "pt") as file:
            stored = set(file.keys())
        wanted = {name.replace(".default.", ".") for name, _ in model.named_parameters() if "lora_" in name}
        report["missing"] += sorted(wanted - stored)
        report["unexpected"] += sorted(stored - wanted)
    return model.eval(), report


def run(model, request):
    given = load_file(request["inputs"])
    for name in ("pixel_values", "pixel_values_videos", "input_features"):
        if name in given:
            given[name] = given[name].to(model.dtype)
    kept = int(given.pop("kept"))
    options = {"use_audio_in_video": True} if request.get("inside") else {}
    with torch.no_grad():
        out = model(**given, **options)
    rows = out.last_hidden_state if request["kind"] == "base" else out.logits
    save_file({"rows": rows[0, -kept:].float().contiguous()}, request["output"])


def main():
    model, loaded = None, None
    for line in sys.stdin:
        request = json.loads(line)
        report = {}
        if request["do"] == "tokenize":
            tokenizer = AutoTokenizer.from_pretrained(request["directory"])
            text = tokenizer.apply_chat_template(request["messages"], tokenize=False, add_generation_prompt=True)
            report = {"ids": tokenizer(text)["input_ids"]}
        elif request["do"] == "load":
            model, report = load(request)
            loaded = request
        else:
            run(model, {**loaded, **request})
        print(json.dumps(report), flush=True)


main()
