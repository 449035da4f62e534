// What an observer reads of the views that a benchmark shows: the same masks on the same clips as the model that is measured gets.
import type { Observe } from "../../bench/support/measure-support.ts";
import type { ClipLibrary } from "../../corpus/clips/clip-library.ts";
import { viewRows } from "../../corpus/clips/local-respondent.ts";
import type { Observer } from "./observer.ts";

const viewsAtOnce = 64;

/** @param library of the model whose towers the observer was made for, with every clip that views mention */
export function observeViews(observer: Observer, library: ClipLibrary): Observe {
  return (views, modality) => {
    const observed: Float32Array[] = [];
    for (let start = 0; start < views.length; start += viewsAtOnce) {
      const shown = views.slice(start, start + viewsAtOnce).map((view) => viewRows(library, view).rows);
      observed.push(...observer.observe(shown, modality));
      for (const rows of shown) rows[Symbol.dispose]();
    }
    return observed;
  };
}
