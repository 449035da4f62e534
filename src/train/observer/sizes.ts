// How large an observer is and how long it learns: plain numbers, for who makes one and for who reckons what that takes.

/** Places and numbers a place of one clip's pooled rows. */
export const maxPlaces = 64;
export const maxWidth = 256;
export const headsPerQuestion = 2;
/** Steps that a reader learns, of so many views. */
export const readerSteps = 800;
export const viewsPerStep = 128;
/** Masked views of every clip that is learnt from. */
export const maskedViews = 2;
/** One in so many of a corpus' clips is not learnt from: the report is about these. */
export const devOf = 5;
/** Of the dev split, per kind of mask. */
export const maxDevClips = 100;

/** Of so many clips those that an observer is checked on. */
export function numDevOf(clips: number): number {
  return Math.floor(clips / devOf);
}

/** Clips of one modality that towers encode for an observer. @param kinds of masks that it is checked under */
export function numObservedViews(
  { clips, dev }: { readonly clips: number; readonly dev: number },
  kinds: number,
): number {
  return clips * (1 + maskedViews) + dev + Math.min(dev, maxDevClips) * kinds;
}
