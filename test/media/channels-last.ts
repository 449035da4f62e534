// Golden frames are [frames, channel, height, width]; ours have the channel last.

import type { GoldenTensor } from "../support/safetensors.ts";

export function channelsLast({ data, shape }: GoldenTensor) {
  const [width, height, channels, numFrames = 1] = [...shape].reverse() as [number, number, number, number | undefined];
  const pixels = new Uint8Array(data.length);
  const area = height * width;
  for (let frame = 0; frame < numFrames; frame++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let i = 0; i < area; i++) {
        pixels[(frame * area + i) * channels + channel] = Number(data[(frame * channels + channel) * area + i]);
      }
    }
  }
  return { pixels, numFrames, height, width };
}
