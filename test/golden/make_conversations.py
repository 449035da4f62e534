"""Prompts with several clips, images and turns from Hugging Face's processor and thinker.

python make_conversations.py --golden DIR --out FILE     (transformers, torch, torchvision, safetensors; no network)

DIR is what make_golden_qwen_omni.py wrote. Media are formulas in whole numbers (`frames`, `wave`), so that the test makes the
very same ones; the file holds turns, ids, TMRoPE positions and the logits that predict the first token of the reply.
"""
import argparse
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import make_golden_qwen_omni  # noqa: F401  (imports torchvision although its C++ operators may be missing)
import numpy as np
import torch
import transformers
from transformers import Qwen2_5OmniProcessor
from transformers import Qwen2_5OmniThinkerForConditionalGeneration as Thinker

text = lambda words: dict(type="text", text=words)  # noqa: E731
clip = lambda video, samples: dict(type="clip", video=video, samples=samples)  # noqa: E731
image = lambda height, width: dict(type="image", size=[height, width])  # noqa: E731
turn = lambda role, *parts: dict(role=role, parts=list(parts))  # noqa: E731

CONVERSATIONS = {
    "one_clip": [turn("user", clip([4, 56, 84], 24000), text("What emotion?"))],
    "silent_then_voice": [turn("user", clip([4, 56, 56], None), text("and"), clip(None, 16160), text("Same person?"))],
    "two_clips_one_question": [turn("user", clip([4, 56, 84], 24000), clip([6, 84, 56], 40000), text("Which is happier?"))],
    "voice_first": [turn("user", clip(None, 12345), clip([4, 84, 84], None), text("What emotion?"))],
    "images_around_a_clip": [turn("user", image(56, 84), text("then"), clip([4, 56, 56], 33000), image(112, 28), text("Now?"))],
    "turns": [
        turn("system", text("Be brief.")),
        turn("user", clip([4, 56, 84], 20000), text("Emotion?")),
        turn("assistant", text("happy")),
        turn("user", image(84, 56), clip(None, 24000), text("And now?")),
        turn("assistant", text("sad")),
        turn("user", text("Why?")),
    ],
    "text_turns": [turn("user", text("Hi")), turn("assistant", text("Hello.")), turn("user", text("How are you?"))],
}
INTERLEAVED = {
    "inside_one": [turn("user", clip([10, 56, 84], 72000), text("What emotion?"))],
    "inside_two_with_voice": [
        turn("user", clip([4, 56, 56], 50000), clip(None, 16000), clip([8, 56, 84], 34000), text("Which is happier?"))
    ],
    "inside_turns": [
        turn("user", image(56, 56), clip([6, 84, 56], 48000), text("Emotion?")),
        turn("assistant", text("angry")),
        turn("user", clip([4, 56, 84], 30000), text("And she?")),
    ],
}


def frames(number, time, height, width):
    """[T, 3, H, W], levels that no axis shares."""
    t, c, y, x = np.ogrid[:time, :3, :height, :width]
    return torch.from_numpy(((number * 91 + t * 37 + c * 50 + y * 5 + x * 3 + (x * y) // 7) % 256).astype(np.uint8))


def wave(number, samples):
    i = np.arange(samples, dtype=np.int64)
    return (((i * (i % 97 + 13 + number)) % 2001 - 1000) / 2048).astype(np.float32)


def run(turns, inside, processor, model):
    messages, videos, images, audios = [], [], [], []
    number = 0
    for one in turns:
        content = []
        for part in one["parts"]:
            if part["type"] == "text":
                content.append(dict(type="text", text=part["text"]))
                continue
            number += 1
            if part["type"] == "image":
                images.append(frames(number, 1, *part["size"])[0])
                content.append(dict(type="image", image="made"))
                continue
            if part["video"]:
                videos.append(frames(number, *part["video"]))
                content.append(dict(type="video", video="made"))
            if part["samples"]:
                audios.append(wave(number, part["samples"]))
                if not (inside and part["video"]):
                    content.append(dict(type="audio", audio="made"))
        messages.append(dict(role=one["role"], content=content))
    chat = processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    given = dict(text=[chat], return_tensors="pt", padding=True)
    if audios:
        given.update(audio=audios, sampling_rate=16000)
    if images:
        given.update(images=images, do_resize=False)
    if videos:
        given.update(videos=videos, do_resize=False, use_audio_in_video=inside)
    inputs = {name: value for name, value in processor(**given).items() if isinstance(value, torch.Tensor)}
    lengths = inputs["feature_attention_mask"].sum(1) if audios else None
    positions, _ = model.get_rope_index(
        inputs["input_ids"], inputs.get("image_grid_thw"), inputs.get("video_grid_thw"), inputs["attention_mask"], inside, lengths,
        inputs.get("video_second_per_grid"),
    )
    model.rope_deltas = None
    with torch.no_grad():
        logits = model(**inputs, use_audio_in_video=inside, use_cache=False).logits[0, -1]
    return dict(
        turns=turns, audio_in_video=inside, ids=inputs["input_ids"][0].tolist(), positions=positions[:, 0].tolist(),
        logits=[float(f"{value:.6g}") for value in logits.tolist()],
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--golden", required=True)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    directory = os.path.join(arguments.golden, "omni")
    processor = Qwen2_5OmniProcessor.from_pretrained(directory)
    model = Thinker.from_pretrained(directory, attn_implementation="eager", dtype=torch.float32).eval()
    cases = {name: run(turns, False, processor, model) for name, turns in CONVERSATIONS.items()}
    cases.update({name: run(turns, True, processor, model) for name, turns in INTERLEAVED.items()})
    versions = dict(transformers=transformers.__version__, torch=torch.__version__)
    with open(arguments.out, "w") as file:
        json.dump(dict(versions=versions, cases=cases), file)
        file.write("\n")


if __name__ == "__main__":
    main()
