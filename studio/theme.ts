// Light, dark, or as the system has it: kept in this browser.

export type Theme = "system" | "light" | "dark";

const themes: readonly Theme[] = ["system", "light", "dark"];
const place = "oppo-studio-theme";

export function themeOf(): Theme {
  const kept = localStorage.getItem(place) as Theme | null;
  return kept !== null && themes.includes(kept) ? kept : "system";
}

export function nextTheme(theme: Theme): Theme {
  return themes[(themes.indexOf(theme) + 1) % themes.length]!;
}

export function showTheme(theme: Theme): void {
  localStorage.setItem(place, theme);
  document.documentElement.dataset.theme = theme;
  // Charts are painted: they take their colours anew.
  dispatchEvent(new Event("themechange"));
}
