// Clips that gave less than their files state, told beside those that were left out: how many, and the first of them.

/** A clip that was read, and what was missing in it. */
export interface NoticedClip {
  readonly id: string;
  readonly notices: readonly string[];
}

const maxNamedClips = 3;

/** Example: ["gave less than they state: 1", "  a: sound: stated 12.10 s, decoded 5.40 s"]. Empty where nothing was missing. */
export function noticeLines(noticed: readonly NoticedClip[]): string[] {
  if (noticed.length === 0) return [];
  const more = noticed.length - maxNamedClips;
  return [
    `gave less than they state: ${noticed.length}`,
    ...noticed.slice(0, maxNamedClips).map(({ id, notices }) => `  ${id}: ${notices.join("; ")}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

/** In one line for a report. Example: "2 clips gave less than they state: a: sound: stated 3.00 s, decoded 1.80 s; b: ..." */
export function noticeNotes(noticed: readonly NoticedClip[]): string[] {
  if (noticed.length === 0) return [];
  const more = noticed.length > maxNamedClips ? `; and ${noticed.length - maxNamedClips} more` : "";
  const named = noticed.slice(0, maxNamedClips).map(({ id, notices }) => `${id}: ${notices.join(", ")}`);
  const clips = noticed.length === 1 ? "1 clip" : `${noticed.length} clips`;
  return [`${clips} gave less than their files state: ${named.join("; ")}${more}`];
}
