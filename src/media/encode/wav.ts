// A waveform as a WAV file: 32-bit floats, mono, so that whoever decodes it has the very same samples.

const headerBytes = 44;
const floatFormat = 3;
const bytesPerSample = 4;

/** Example: `wavBytes(clip.waveform, 16000)`, an input_audio part once it is base64. */
export function wavBytes(waveform: Float32Array, sampleRateHz: number): Uint8Array {
  const dataBytes = waveform.length * bytesPerSample;
  const bytes = new Uint8Array(headerBytes + dataBytes);
  const view = new DataView(bytes.buffer);
  const word = (at: number, text: string) => {
    for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
  };
  word(0, "RIFF");
  view.setUint32(4, headerBytes - 8 + dataBytes, true);
  word(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, floatFormat, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRateHz, true);
  view.setUint32(28, sampleRateHz * bytesPerSample, true);
  view.setUint16(32, bytesPerSample, true);
  view.setUint16(34, 8 * bytesPerSample, true);
  word(36, "data");
  view.setUint32(40, dataBytes, true);
  for (let i = 0; i < waveform.length; i++) view.setFloat32(headerBytes + i * bytesPerSample, waveform[i]!, true);
  return bytes;
}
