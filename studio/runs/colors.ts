// A run's colour and dash: by its place among those shown, told apart also without colours.

const colors = ["#3b7ddd", "#c2570c", "#2f8f5b", "#a346b5", "#b5304f", "#0f8b9e", "#8a7a12", "#6a6f7d"];
const dashes: readonly (readonly number[])[] = [[], [8, 4], [2, 3]];

export function lineStyle(index: number): { readonly color: string; readonly dash: readonly number[] } {
  return { color: colors[index % colors.length]!, dash: dashes[Math.floor(index / colors.length) % dashes.length]! };
}

export const maxShown = colors.length * dashes.length;
