// What the sets of the MER2025 release (MER-Caption+, OV-MERD, MER2025-OV) say about where they come from.

export const mer2025Access =
  "Hugging Face, MERChallenge/MER2025: sign its agreement (academic use, no re-upload), then " +
  "`huggingface-cli download MERChallenge/MER2025 --repo-type dataset --local-dir mer2025-dataset`, and join and unpack the " +
  "parts of video and audio (`7z x video_split.zip`).";

export function mer2025Layout(tables: readonly string[]): string[] {
  return [
    "mer2025-dataset/",
    "  video/NAME.mp4",
    "  audio/NAME.wav",
    "  subtitle_chieng.csv    (name,chinese,english)",
    ...tables.map((table) => `  ${table}    (${table.startsWith("track3") ? "name,reason" : "name,openset"})`),
  ];
}
