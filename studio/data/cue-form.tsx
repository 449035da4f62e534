// A cue as it is typed: what kind it is, and its words. Enter keeps it, Escape leaves it.
import { useLayoutEffect, useRef } from "preact/hooks";
import type { CueView } from "../../src/serve/studio/api.ts";

export const kindNames: Readonly<Record<CueView["kind"], string>> = {
  video: "seen",
  audio: "heard",
  emotion: "concluded",
};
const maxLength = 300;

interface CueFormProps {
  readonly title: string;
  readonly start: CueView;
  /** Told of what is typed so far. */
  readonly onTyped: (cue: CueView) => void;
  readonly onKeep: (cue: CueView) => void;
  readonly onLeave: () => void;
}

export function CueForm({ title, start, onTyped, onKeep, onLeave }: CueFormProps) {
  const text = useRef<HTMLInputElement>(null);
  const kind = useRef<HTMLSelectElement>(null);
  // Before the next key can come, whose letter would be lost.
  useLayoutEffect(() => {
    text.current?.focus();
    text.current?.select();
  }, []);
  const typed = () => onTyped({ kind: kind.current!.value as CueView["kind"], text: text.current!.value });
  const keep = (event: Event) => {
    event.preventDefault();
    const said = text.current!.value.trim().replaceAll(/\s+/g, " ");
    if (said !== "") onKeep({ kind: kind.current!.value as CueView["kind"], text: said });
  };
  return (
    <form
      class="cue-form"
      aria-label={title}
      onSubmit={keep}
      onInput={typed}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onLeave();
      }}
    >
      <select ref={kind} aria-label="kind of cue">
        {Object.entries(kindNames).map(([name, title]) => (
          <option key={name} value={name} selected={name === start.kind}>
            {title}
          </option>
        ))}
      </select>
      <input
        class="cue-words"
        ref={text}
        defaultValue={start.text}
        maxLength={maxLength}
        aria-label="words of the cue"
        placeholder="2 to 6 words"
      />
      <button type="submit">Keep</button>
      <button type="button" class="quiet" onClick={onLeave}>
        Leave
      </button>
    </form>
  );
}
