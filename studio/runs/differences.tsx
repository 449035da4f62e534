// The settings in which the shown runs differ; of one run alone, all of them.
import type { RunDetail } from "../../src/serve/studio/api.ts";

export function Differences({ details }: { readonly details: readonly RunDetail[] }) {
  const all = details.map(({ settings, facts }) => ({ ...settings, ...facts }));
  const paths = [...new Set(all.flatMap((one) => Object.keys(one)))];
  const isOther = (path: string) => new Set(all.map((one) => one[path])).size > 1;
  const shownPaths = details.length === 1 ? paths : paths.filter(isOther);
  if (details.length === 0 || paths.length === 0) return null;
  return (
    <section aria-labelledby="settings-title">
      <details open={details.length > 1}>
        <summary>
          <h2 id="settings-title">
            {details.length === 1 ? "Settings" : `Settings that differ (${shownPaths.length})`}
          </h2>
        </summary>
        {shownPaths.length === 0 ? (
          <p class="soft">None: these runs were asked for the same.</p>
        ) : (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys
          <section class="scroll" tabIndex={0} aria-label="settings">
            <table>
              <thead>
                <tr>
                  <th scope="col">setting</th>
                  {details.map(({ summary }) => (
                    <th key={summary.id} scope="col">
                      {summary.name}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {shownPaths.map((path) => (
                  <tr key={path}>
                    <th scope="row">{path}</th>
                    {all.map((one, i) => (
                      <td key={details[i]!.summary.id}>{one[path] ?? <span class="soft">-</span>}</td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        )}
      </details>
    </section>
  );
}
