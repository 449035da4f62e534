// One matrix as a .npy file (NumPy's format 1.0): magic, a header that is a Python literal, little-endian values.

const magic = Uint8Array.of(0x93, ...Buffer.from("NUMPY"), 1, 0);
/** Data starts at a multiple of this, as NumPy writes it. */
const alignment = 64;
const lengthBytes = 2;

/** Example: `npyBytes(new Float32Array(6), [2, 3])` is what `numpy.save` writes for a float32 array of shape (2, 3). */
export function npyBytes(values: Float32Array, shape: readonly [rows: number, columns: number]): Uint8Array {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape[0]}, ${shape[1]}), }`;
  const before = magic.length + lengthBytes;
  const total = Math.ceil((before + text.length + 1) / alignment) * alignment;
  const header = `${text.padEnd(total - before - 1)}\n`;
  const out = Buffer.alloc(total + values.byteLength);
  out.set(magic);
  out.writeUInt16LE(header.length, magic.length);
  out.write(header, before, "latin1");
  for (const [index, value] of values.entries())
    out.writeFloatLE(value, total + index * Float32Array.BYTES_PER_ELEMENT);
  return out;
}
