// How far two annotators agree, by kind of cue.
import type { CorpusDetail } from "../../src/serve/studio/data/data-api.ts";
import { kindNames } from "./cue-form.tsx";

interface AgreementProps {
  readonly by: string;
  readonly other: string;
  readonly agreement: NonNullable<CorpusDetail["agreement"]>;
}

export function AgreementTable({ by, other, agreement }: AgreementProps) {
  const rows = [...Object.entries(kindNames), ["all", "all"]] as [keyof typeof agreement, string][];
  return (
    <section class="scroll" aria-label="Agreement">
      <table>
        <caption>
          {by} and {other}, on the cues that both judged
        </caption>
        <thead>
          <tr>
            <th scope="col">cues</th>
            <th scope="col">n</th>
            <th scope="col">same</th>
            <th scope="col">by chance</th>
            <th scope="col">Cohen's kappa</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([kind, name]) => {
            const { n, observed, expected, kappa } = agreement[kind];
            return (
              <tr key={kind}>
                <th scope="row">{name}</th>
                <td>{n}</td>
                <td>{share(observed)}</td>
                <td>{share(expected)}</td>
                <td>{kappa === null ? (n === 0 ? "-" : "one answer alone: none") : kappa.toFixed(3)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

function share(value: number | null): string {
  return value === null ? "-" : `${(100 * value).toFixed(0)} %`;
}
