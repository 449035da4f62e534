// What the keys do.
import { useEffect, useRef } from "preact/hooks";

const keys = [
  ["1, 2, 3, 4", "the rooms: runs, rollouts, x-ray, data"],
  ["j, k or arrow right, left", "next and previous group of rollouts, or clip"],
  ["n, p", "next and previous page of the list"],
  ["v", "play or stop the clip"],
  ["m", "colour by evidence, by how much a token depends on a modality, or by its KL to the reference"],
  ["/", "search"],
  ["arrow down, up", "data: next and previous cue"],
  ["a, x, c", "data: accept, reject, correct the cue"],
  ["s, h, e", "data: add what is seen, heard, concluded (emotion)"],
  ["A", "data: accept all cues of the clip that are open"],
  ["u", "data: undo your last decision"],
  ["g, o, w", "data: the gallery, order anew, who you are"],
  ["?", "this list"],
] as const;

export function KeyHelp({ onClose }: { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="keys-title">
      <h2 id="keys-title">Keys</h2>
      <dl class="keys">
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  );
}
