// The audio of a file as mono float32 at one rate: decoded, averaged over the channels and resampled (swresample), all
// while the packets go by.

import {
  AV_CHANNEL_LAYOUT_MONO,
  AV_CHANNEL_ORDER_UNSPEC,
  AV_SAMPLE_FMT_DBLP,
  AV_SAMPLE_FMT_FLT,
  AV_SAMPLE_FMT_FLTP,
  AV_SAMPLE_FMT_S64P,
  AV_SAMPLE_FMT_U8P,
  AVERROR_EAGAIN,
  AVERROR_EOF,
} from "node-av/constants";
import { type CodecContext, Frame, type Packet, SoftwareResampleContext } from "node-av/lib";
import type { StereoMix } from "../fit.ts";
import { MediaError } from "../media-error.ts";
import { check, checkDuration, type MediaContainer, openDecoder, type ReadLimits } from "./container.ts";

/** A file may have a few packets that do not decode (a cut at its start); a larger share means that it is broken. */
const maxBrokenShare = 0.05;
/** Where files were joined, a tag between them may look like a packet or two. */
const fewBroken = 2;

/** The resampler asks for more room than it needs. */
const slackSeconds = 1;

/** Of the resampler's interface. */
const maxPlanes = 8;

/** All that a file's audio stream decodes to. */
export interface DecodedSound {
  readonly waveform: Float32Array;
  readonly numPackets: number;
  /** Packets that did not decode. */
  readonly numBroken: number;
}

export interface SoundOptions extends ReadLimits {
  /** Default: the mean. */
  readonly stereo?: StereoMix;
}

type SoundFormat = Pick<Frame, "channels" | "sampleRate" | "format">;

/** Takes packets, gives the waveform at the end. */
export class AudioReader {
  readonly #container: MediaContainer;
  readonly #limits: ReadLimits;
  readonly #sampleRateHz: number;
  readonly #exactSeconds: number;
  readonly #stereo: StereoMix;
  readonly #decoder: CodecContext;
  readonly #frame = new Frame();
  #resampler: SoftwareResampleContext | null = null;
  /** Rate, format and channels that the resampler was made for. */
  #source = "";
  #samples: Float32Array;
  #numSamples = 0;
  #numPackets = 0;
  #numBroken = 0;
  /** Of the longest frame, at the rate of the waveform. */
  #frameSamples = 0;

  /** @param exactSeconds the length where a container counts it to the sample; 0 where it only estimates or says nothing */
  constructor(container: MediaContainer, sampleRateHz: number, limits: SoundOptions, exactSeconds: number) {
    const stream = container.audio!;
    this.#container = container;
    this.#limits = limits;
    this.#sampleRateHz = sampleRateHz;
    this.#exactSeconds = exactSeconds;
    this.#stereo = limits.stereo ?? "mean";
    this.#decoder = openDecoder(container, stream, limits);
    this.#frame.alloc();
    // A broken header may state any duration.
    const seconds = Math.min(exactSeconds, 60) + 1;
    this.#samples = new Float32Array(Math.ceil(seconds * sampleRateHz));
  }

  push(packet: Packet): void {
    this.#numPackets++;
    if (this.#decoder.sendPacketSync(packet) < 0) this.#numBroken++;
    this.#receive();
  }

  /**
   * Decodes what is left. What was decoded decides; a stated length only takes away what an encoder added to fill its last
   * frame, never as much as a frame.
   */
  finish(): DecodedSound {
    this.#decoder.sendPacketSync(null);
    this.#receive();
    this.#drainResampler();
    const [numPackets, numBroken] = [this.#numPackets, this.#numBroken];
    const isBroken = numBroken > Math.max(fewBroken, numPackets * maxBrokenShare);
    if (numPackets > 0 && (this.#numSamples === 0 || isBroken)) {
      throw new MediaError(
        "ERR_MEDIA_BROKEN",
        this.#container.path,
        `expected decodable audio, got ${numBroken} broken packets of ${numPackets}. Make the file again.`,
      );
    }
    const stated = Math.round(this.#exactSeconds * this.#sampleRateHz);
    const isPadded = this.#numSamples > stated && this.#numSamples - stated < this.#frameSamples;
    const waveform = this.#samples.slice(0, stated > 0 && isPadded ? stated : this.#numSamples);
    requireFinite(waveform, this.#sampleRateHz, this.#container.path);
    return { waveform, numPackets, numBroken };
  }

  [Symbol.dispose](): void {
    this.#resampler?.free();
    this.#frame.free();
    this.#decoder.freeContext();
  }

  #receive(): void {
    for (;;) {
      const result = this.#decoder.receiveFrameSync(this.#frame);
      if (result === AVERROR_EAGAIN || result === AVERROR_EOF) return;
      if (result < 0) {
        this.#numBroken++;
        return;
      }
      this.#resample();
      this.#frame.unref();
    }
  }

  #resample(): void {
    const frame = this.#frame;
    const { channels, sampleRate, format, nbSamples } = frame;
    this.#frameSamples = Math.max(this.#frameSamples, (nbSamples / sampleRate) * this.#sampleRateHz);
    // The resampler's interface takes eight planes; beyond that the process would end.
    if (channels > maxPlanes && isPlanar(format)) {
      const mean = meanOfPlanes(frame, this.#container.path);
      const resampler = this.#resamplerFor({ channels: 1, sampleRate, format: AV_SAMPLE_FMT_FLT });
      this.#convert(resampler, [mean], nbSamples);
    } else this.#convert(this.#resamplerFor({ channels, sampleRate, format }), frame.data, nbSamples);
  }

  #convert(resampler: SoftwareResampleContext, planes: Buffer[] | null, numInput: number): void {
    const room = resampler.getOutSamples(numInput);
    if (room <= 0) return;
    // A sample rate of nearly nothing would be stretched without end.
    checkDuration(this.#container.path, (this.#numSamples + room) / this.#sampleRateHz - slackSeconds, this.#limits);
    this.#reserve(room);
    const offset = this.#numSamples * Float32Array.BYTES_PER_ELEMENT;
    const out = Buffer.from(this.#samples.buffer, offset, room * Float32Array.BYTES_PER_ELEMENT);
    const converted = resampler.convertSync([out], room, planes, numInput);
    check(converted, "ERR_MEDIA_BROKEN", this.#container.path, "audio that can be resampled");
    this.#numSamples += converted;
    checkDuration(this.#container.path, this.#numSamples / this.#sampleRateHz, this.#limits);
  }

  /** The stream's parameters may change on the way (an implicit HE-AAC header does it). */
  #resamplerFor({ channels, sampleRate, format }: SoundFormat): SoftwareResampleContext {
    const source = `${sampleRate} ${format} ${channels}`;
    if (this.#resampler !== null && source === this.#source) return this.#resampler;
    this.#drainResampler();
    const resampler = new SoftwareResampleContext();
    const { path } = this.#container;
    const layout = { nbChannels: channels, order: AV_CHANNEL_ORDER_UNSPEC, mask: 0n };
    check(
      resampler.allocSetOpts2(
        AV_CHANNEL_LAYOUT_MONO,
        AV_SAMPLE_FMT_FLT,
        this.#sampleRateHz,
        layout,
        format as typeof AV_SAMPLE_FMT_FLT,
        sampleRate,
      ),
      "ERR_MEDIA_BROKEN",
      path,
      "audio parameters that make sense",
    );
    // The mean of the channels, not FFmpeg's weighted downmix, unless two are to be mixed as FFmpeg does it to floats.
    const weight = this.#stereo === "power" && channels === 2 ? Math.SQRT1_2 : 1 / channels;
    check(
      resampler.setMatrix(new Array<number>(channels).fill(weight), channels),
      "ERR_MEDIA_BROKEN",
      path,
      "channels",
    );
    check(resampler.init(), "ERR_MEDIA_BROKEN", path, "audio that can be resampled");
    this.#resampler = resampler;
    this.#source = source;
    return resampler;
  }

  #drainResampler(): void {
    if (this.#resampler === null) return;
    this.#convert(this.#resampler, null, 0);
    this.#resampler.free();
    this.#resampler = null;
  }

  #reserve(room: number): void {
    const needed = this.#numSamples + room;
    if (needed <= this.#samples.length) return;
    const larger = new Float32Array(Math.max(needed, this.#samples.length * 2));
    larger.set(this.#samples.subarray(0, this.#numSamples));
    this.#samples = larger;
  }
}

/** Samples that are no numbers would vanish in the features; librosa refuses them too. */
function requireFinite(waveform: Float32Array, sampleRateHz: number, path: string): void {
  const first = waveform.findIndex((sample) => !Number.isFinite(sample));
  if (first < 0) return;
  const count = waveform.reduce((sum, sample) => sum + (Number.isFinite(sample) ? 0 : 1), 0);
  throw new MediaError(
    "ERR_MEDIA_BROKEN",
    path,
    `expected finite samples, got ${count} that are NaN or infinite, the first at ${(first / sampleRateHz).toFixed(3)} s. Make the sound again.`,
  );
}

/** Every channel in an array of its own. */
function isPlanar(format: number): boolean {
  return (format >= AV_SAMPLE_FMT_U8P && format <= AV_SAMPLE_FMT_DBLP) || format === AV_SAMPLE_FMT_S64P;
}

/** One plane of float32: what the resampler would make of all of them. */
function meanOfPlanes(frame: Frame, path: string): Buffer {
  const { channels, format, nbSamples, extendedData } = frame;
  const numBytes = nbSamples * Float32Array.BYTES_PER_ELEMENT;
  const planes = (extendedData ?? []).slice(0, channels);
  if (format !== AV_SAMPLE_FMT_FLTP || planes.length !== channels || planes.some(({ length }) => length < numBytes)) {
    throw new MediaError(
      "ERR_MEDIA_BROKEN",
      path,
      `expected sound of at most ${maxPlanes} channels, got ${channels} that cannot be mixed. Mix the file down to stereo.`,
    );
  }
  const mean = new Float32Array(nbSamples);
  for (const plane of planes) {
    for (let i = 0; i < nbSamples; i++) mean[i]! += plane.readFloatLE(i * Float32Array.BYTES_PER_ELEMENT) / channels;
  }
  return Buffer.from(mean.buffer);
}
