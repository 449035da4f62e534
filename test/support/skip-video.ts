// A hand-made H.264 stream: one grey picture, then frames in which every block is skipped. Ten bytes ask a decoder for a whole
// frame, as no encoder's output does.

/** Bits into bytes; H.264's Exp-Golomb codes. */
class Bits {
  readonly #bits: number[] = [];

  put(value: number, count: number): this {
    for (let i = count - 1; i >= 0; i--) this.#bits.push((value >> i) & 1);
    return this;
  }

  ue(...values: number[]): this {
    for (const value of values) {
      const length = 32 - Math.clz32(value + 1);
      this.put(0, length - 1).put(value + 1, length);
    }
    return this;
  }

  /** A NAL unit in Annex B, with its stop bit and emulation prevention. */
  unit(header: number): Buffer {
    const bits = [...this.#bits, 1];
    while (bits.length % 8 !== 0) bits.push(0);
    const out = [0, 0, 0, 1, header];
    let zeros = 0;
    for (let i = 0; i < bits.length; i += 8) {
      const byte = bits.slice(i, i + 8).reduce((sum, bit) => 2 * sum + bit, 0);
      if (zeros >= 2 && byte <= 3) {
        out.push(3);
        zeros = 0;
      }
      out.push(byte);
      zeros = byte === 0 ? zeros + 1 : 0;
    }
    return Buffer.from(out);
  }
}

const sequence = 0x67;
const picture = 0x68;
const keySlice = 0x65;
const skipSlice = 0x41;
const frameNumBits = 16;

/** Width and height multiples of 16. Baseline profile, one reference, output in the order of decoding. */
export function skipVideo(width: number, height: number, numFrames: number): Buffer {
  const [columns, rows] = [width / 16, height / 16];
  const head = [
    // profile, constraints, level 5.2; ids, frame_num of 16 bits, order type 2, one reference, no gaps
    new Bits()
      .put(66, 8)
      .put(0xc0, 8)
      .put(52, 8)
      .ue(0, frameNumBits - 4, 2, 1)
      .put(0, 1)
      .ue(columns - 1, rows - 1)
      // frame_mbs_only, direct_8x8, no cropping, no VUI
      .put(0b1100, 4)
      .unit(sequence),
    // ids, CAVLC, no order in frame, one group, one reference each, no weights, qp, no filter control
    new Bits().ue(0, 0).put(0b00, 2).ue(0, 0, 0).put(0, 3).ue(0, 0, 0).put(0, 3).unit(picture),
  ];
  // First block, an I slice, ids, frame_num, idr_pic_id, no flags, qp
  const key = new Bits().ue(0, 7, 0).put(0, frameNumBits).ue(0).put(0, 2).ue(0);
  // Intra 16 x 16 of the mean without coefficients, chroma likewise, no change of qp, no coefficient of luma
  for (let i = 0; i < columns * rows; i++) key.ue(3, 0, 0).put(1, 1);
  const units = [...head, key.unit(keySlice)];
  for (let i = 1; i < numFrames; i++) {
    // No override of references, no reordering, no marking; qp; all blocks skipped
    const slice = new Bits().ue(0, 5, 0).put(i % 2 ** frameNumBits, frameNumBits);
    units.push(
      slice
        .put(0, 3)
        .ue(0, columns * rows)
        .unit(skipSlice),
    );
  }
  return Buffer.concat(units);
}
