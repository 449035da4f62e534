// Exact bytes of one prompt's pass through the decoder at the widths of a published model: what is kept between the way there and
// the way back, and the most at once, with the graph kept and with layers computed again. bfloat16, a few layers, random weights.
// Usage: npm run bench:memory -- [--size 3b] [--layers 3] [--prompt 1600] [--tokens 512] [--group 4] [--adapter 0] [--json]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildTheatreTokenizer } from "../src/data/theatre/tokenizer.ts";
import { addAdapter } from "../src/models/adapt.ts";
import { defaultLora } from "../src/models/lora/config.ts";
import type { OmniModel } from "../src/models/omni-model.ts";
import type { ThinkerTokens } from "../src/models/qwen-omni/clips.ts";
import { initTiny } from "../src/models/qwen-omni/init.ts";
import { loadThinker } from "../src/models/qwen-omni/load.ts";
import { scope, type Tensor } from "../src/tensor/index.ts";
import { type CountedMemory, countMemory } from "../test/support/counted-memory.ts";
import { readOptions } from "./support/options.ts";

const widths = {
  "3b": { hidden_size: 2048, num_attention_heads: 16, num_key_value_heads: 2, intermediate_size: 11008 },
  "7b": { hidden_size: 3584, num_attention_heads: 28, num_key_value_heads: 4, intermediate_size: 18944 },
} as const;

interface Shape {
  readonly layers: number;
  readonly prompt: number;
  readonly tokens: number;
  readonly group: number;
}

interface Measured {
  readonly keptMb: number;
  readonly peakMb: number;
  readonly gradientsMb: number;
  readonly seconds: number;
}

const megabyte = 1e6;

/** Weights in bfloat16 of so many layers at a published width. */
function openModel(size: keyof typeof widths, layers: number): OmniModel {
  const directory = mkdtempSync(join(tmpdir(), "oppo-memory-"));
  const width = widths[size];
  const text_config = {
    ...{ ...width, num_hidden_layers: layers, head_dim: 128, vocab_size: 2048 },
    rope_scaling: { mrope_section: [16, 24, 24], rope_type: "default", type: "default" },
  };
  try {
    initTiny(directory, buildTheatreTokenizer(), 1, {
      text_config,
      audio_config: { encoder_layers: 1, output_dim: width.hidden_size },
      vision_config: { depth: 1, fullatt_block_indexes: [0], out_hidden_size: width.hidden_size },
    });
    return loadThinker(directory, { dtype: "bfloat16" });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function measure(
  model: OmniModel,
  learning: readonly Tensor[],
  shape: Shape,
  memory: CountedMemory,
  recomputes: boolean,
): Measured {
  const length = shape.prompt + 1;
  const tokens = {
    ids: Int32Array.from({ length }, (_, i) => (i * 7919) % 500),
    positions: Int32Array.from({ length: 3 * length }, (_, i) => i % length),
  } as unknown as ThinkerTokens;
  const completions = [
    Array.from({ length: shape.group }, (_, g) =>
      Int32Array.from({ length: shape.tokens }, (_, i) => (i * 31 + g * 7) % 500),
    ),
  ];
  for (const parameter of learning) parameter.grad = null;
  const before = memory.live();
  memory.takePeak();
  const start = performance.now();
  const kept = scope(() => {
    const trunk = model.trunk([{ tokens, rows: null }], completions, { recomputes });
    const numBytes = memory.live() - before;
    trunk.hidden.mul(1e-3).sum({ dtype: "float32" }).backward();
    trunk.backward();
    return numBytes;
  });
  const gradients = memory.live() - before;
  return {
    keptMb: kept / megabyte,
    peakMb: (memory.takePeak() - before) / megabyte,
    gradientsMb: gradients / megabyte,
    seconds: (performance.now() - start) / 1000,
  };
}

async function main(): Promise<void> {
  const values = readOptions("bench:memory", "Exact bytes of one prompt's pass through the decoder, and back.", {
    size: { help: "width of the layers: 3b or 7b", value: "name", default: "3b" },
    layers: { help: "layers of the decoder", value: "count", default: "3" },
    prompt: { help: "tokens of the prompt", value: "count", default: "1600" },
    tokens: { help: "tokens of a completion", value: "count", default: "512" },
    group: { help: "completions of the prompt", value: "count", default: "4" },
    adapter: { help: "rank of an adapter; 0: all weights of the decoder learn", value: "rank", default: "0" },
  });
  const memory = await countMemory();
  const shape = {
    layers: Number(values.layers),
    prompt: Number(values.prompt),
    tokens: Number(values.tokens),
    group: Number(values.group),
  };
  using base = openModel(values.size === "7b" ? "7b" : "3b", shape.layers);
  const rank = Number(values.adapter);
  using adapted = rank === 0 ? null : addAdapter(base, { ...defaultLora, rank, alpha: rank }, 1);
  const model = adapted ?? base;
  const learning = [...model.parameters()]
    .filter(([name]) => adapted !== null || !model.partOf(name).endsWith(" tower"))
    .map(([, parameter]) => parameter);
  for (const parameter of learning) parameter.requiresGrad = true;
  const graph = measure(model, learning, shape, memory, false);
  const recomputed = measure(model, learning, shape, memory, true);
  if (values.json) {
    console.log(JSON.stringify({ ...values, graph, recomputed }));
    return;
  }
  for (const [name, { keptMb, peakMb, gradientsMb, seconds }] of Object.entries({ graph, recomputed })) {
    const facts = [
      `kept ${keptMb.toFixed(1)} MB`,
      `peak ${peakMb.toFixed(0)} MB`,
      `of it gradients ${gradientsMb.toFixed(0)} MB`,
    ];
    console.log(`${name.padEnd(11)} ${facts.join(", ")}, ${seconds.toFixed(1)} s`);
  }
  console.log(`peak over peak: ${(recomputed.peakMb / graph.peakMb).toFixed(2)}`);
}

await main();
