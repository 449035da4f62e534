"""The peer of speed/model.ts: transformers' thinker on the same checkpoint and inputs.

One JSON request per line, one answer per line: {"ms": time, ...}. The first line says which versions answer.
"""
import json
import sys
import time

import torch
import transformers
from safetensors.torch import load_file
from transformers import Qwen2_5OmniThinkerForConditionalGeneration as Thinker
from transformers.utils import logging

logging.disable_progress_bar()


def main():
    directory, inputs, threads, attention = sys.argv[1:5]
    torch.set_num_threads(int(threads))
    model = Thinker.from_pretrained(directory, attn_implementation=attention, dtype=torch.float32).eval()
    given = load_file(inputs)
    prompt = given["input_ids"].shape[1]

    def forward(_):
        logits = model(**given, use_cache=False).logits
        return {"value": logits[:, -1].sum().item()}

    def generate(request):
        count, samples = request["tokens"], request["samples"]
        sampling = dict(do_sample=False) if samples == 1 else dict(do_sample=True, temperature=1.0, top_k=0, top_p=1.0)
        ids = model.generate(
            **given, max_new_tokens=count, min_new_tokens=count, num_return_sequences=samples, pad_token_id=0, eos_token_id=None, **sampling
        )
        new = ids[:, prompt:]
        return {"numTokens": new.numel(), "ids": new.tolist()}

    print(json.dumps({"torch": torch.__version__, "transformers": transformers.__version__}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        model.rope_deltas = None
        with torch.inference_mode():
            start, cpu = time.perf_counter(), time.process_time()
            answer = {"forward": forward, "generate": generate}[request["do"]](request)
            answer["ms"] = (time.perf_counter() - start) * 1e3
            answer["cpuMs"] = (time.process_time() - cpu) * 1e3
        print(json.dumps(answer), flush=True)


main()
