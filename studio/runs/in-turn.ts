// Drawings that take their turn: what is in sight is drawn at once, the rest one after another, so that the page answers in between.
const waiting = new Set<() => void>();

/** @returns what takes it out of the line */
export function inTurn(place: HTMLElement, draw: () => void): () => void {
  const { top, bottom } = place.getBoundingClientRect();
  if (top < innerHeight && bottom > 0) {
    draw();
    return () => undefined;
  }
  if (waiting.size === 0) setTimeout(drawNext);
  waiting.add(draw);
  return () => void waiting.delete(draw);
}

function drawNext(): void {
  const [draw] = waiting;
  if (draw === undefined) return;
  waiting.delete(draw);
  if (waiting.size > 0) setTimeout(drawNext);
  draw();
}
