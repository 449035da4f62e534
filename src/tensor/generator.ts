// Random numbers with an explicit seed: every random operator takes `{ generator }`. One seed, one stream, on CPU the
// same on every machine with the same libtorch.
import { type Handle, native } from "./native.ts";

export class Generator implements Disposable {
  /** Native handle; -1 once disposed. */
  h: Handle;

  constructor(seed: number, device = "cpu") {
    this.h = native.newGenerator(seed, device);
    native.attachGuard(this, this.h, false, true);
  }

  [Symbol.dispose](): void {
    if (this.h <= 0) return;
    native.releaseGuard(this);
    native.dropGenerator(this.h);
    this.h = -1;
  }
}
