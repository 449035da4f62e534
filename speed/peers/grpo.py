"""The peer of speed/support/grpo-work.ts: the same GRPO step with TRL's trainer, as a user would run it on a CPU.

Usage: python grpo.py THREADS STEPS WARMUP. Prints one line of JSON: seconds per optimizer step, wall and CPU time.
"""
import json
import os
import random
import resource
import statistics
import sys
import tempfile
import time

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import datasets
import tokenizers
import torch
import transformers
import trl

WIDTH, LAYERS, HEADS, KEY_HEADS, INNER, VOCABULARY = 256, 4, 4, 2, 1024, 2000
PROMPTS, PROMPT_TOKENS, GROUP_SIZE, NEW_TOKENS = 16, 120, 4, 64
REFERENCE_KL, LEARNING_RATE = 0.04, 1e-5


def make_tokenizer():
    words = {f"w{i}": i for i in range(VOCABULARY)}
    plain = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="w0"))
    plain.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    return transformers.PreTrainedTokenizerFast(tokenizer_object=plain, pad_token="w0", eos_token="w1", unk_token="w0")


def save_model(directory):
    """TRL loads policy and reference from a directory."""
    config = transformers.Qwen2Config(
        vocab_size=VOCABULARY, hidden_size=WIDTH, intermediate_size=INNER, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, num_key_value_heads=KEY_HEADS, tie_word_embeddings=False,
        bos_token_id=None, eos_token_id=1, pad_token_id=0,
    )
    transformers.Qwen2ForCausalLM(config).save_pretrained(directory)
    make_tokenizer().save_pretrained(directory)


def rewards(completion_ids, **_):
    """The share of even ids: differs within a group, costs nothing."""
    return [sum(1 - i % 2 for i in ids) / len(ids) for ids in completion_ids]


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Clock(transformers.TrainerCallback):
    def __init__(self):
        self.wall, self.cpu = [], []

    def on_step_begin(self, *_, **__):
        self.start = time.perf_counter(), cpu_seconds()

    def on_step_end(self, *_, **__):
        self.wall.append(time.perf_counter() - self.start[0])
        self.cpu.append(cpu_seconds() - self.start[1])


class FromTheBatch(trl.GRPOTrainer):
    """Starts the clock before the batch is made: on_step_begin comes after the rollouts."""

    def _prepare_inputs(self, inputs):
        self.clock.start = time.perf_counter(), cpu_seconds()
        return super()._prepare_inputs(inputs)


def main():
    threads, steps, warmup = (int(argument) for argument in sys.argv[1:4])
    torch.set_num_threads(threads)
    transformers.set_seed(1)
    draw = random.Random(1)
    rows = [{"prompt": " ".join(f"w{draw.randrange(2, 500)}" for _ in range(PROMPT_TOKENS))}
            for _ in range(PROMPTS * (steps + warmup))]
    with tempfile.TemporaryDirectory() as directory:
        save_model(f"{directory}/model")
        arguments = trl.GRPOConfig(
            output_dir=directory, per_device_train_batch_size=PROMPTS * GROUP_SIZE, num_generations=GROUP_SIZE,
            max_completion_length=NEW_TOKENS, max_steps=steps + warmup, beta=REFERENCE_KL,
            learning_rate=LEARNING_RATE, temperature=1.0, use_cpu=True, bf16=False, fp16=False,
            gradient_checkpointing=False, report_to=[], save_strategy="no", logging_strategy="no", disable_tqdm=True,
            generation_kwargs={"min_new_tokens": NEW_TOKENS},
        )
        trainer = FromTheBatch(
            model=f"{directory}/model", reward_funcs=rewards, args=arguments, processing_class=make_tokenizer(),
            train_dataset=datasets.Dataset.from_list(rows),
        )
        trainer.clock = Clock()
        trainer.clock.on_step_begin = lambda *_, **__: None
        trainer.add_callback(trainer.clock)
        trainer.train()
    wall, cpu = trainer.clock.wall[warmup:], trainer.clock.cpu[warmup:]
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "trl": trl.__version__}
    summary = {name: {"median": statistics.median(values), "min": min(values)}
               for name, values in (("wall", wall), ("cpu", cpu))}
    print(json.dumps({"versions": versions, **summary}))


main()
