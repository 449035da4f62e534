// A frame of a clip as a data: URI, so that a page stands alone.
import { createCanvas } from "@napi-rs/canvas";
import type { MediaClip } from "../media/clip.ts";

const channels = 3;

/** @param quality of the JPEG, 0 to 100 */
export async function frameUri(
  { frames, width, height }: Pick<MediaClip, "frames" | "width" | "height">,
  index: number,
  quality = 80,
): Promise<string> {
  const start = index * width * height * channels;
  const canvas = createCanvas(width, height);
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < channels; channel++) {
      image.data[pixel * 4 + channel] = frames[start + pixel * channels + channel]!;
    }
    image.data[pixel * 4 + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return `data:image/jpeg;base64,${(await canvas.encode("jpeg", quality)).toString("base64")}`;
}
