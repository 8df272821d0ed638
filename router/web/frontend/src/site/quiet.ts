/* When a number may change under the visitor's eyes: not while they are about to tap it. */

import { LONGEST_POINTING, TOUCHED_MILLISECONDS } from "./limits";
import { TEL } from "./places";
import { hear } from "./scanning";

let touchedAt = 0;
for (const name of ["pointerdown", "touchstart", "touchend"]) hear(name, () => (touchedAt = Date.now()));

const POINTED = TEL.replace(/\]/g, "]:hover");

/** Resolves when no pointer is on a number and no finger was on the page a moment ago. */
export async function undisturbed(): Promise<void> {
  const end = Date.now() + LONGEST_POINTING;
  while (Date.now() < end && (Date.now() - touchedAt < TOUCHED_MILLISECONDS || document.querySelector(POINTED)))
    await new Promise((done) => setTimeout(done, 100));
}
