/* Speaks to the server that this script came from: briefly, or not at all.

Bodies are text/plain, so that browsers ask no leave first. */

import type { Numbers } from "./configuration";
import { GIVE_UP_MILLISECONDS } from "./limits";

/** What is thrown for an answer that is none. */
export interface Refused {
  status?: number; // as in HTTP
}

export interface Answer extends Record<string, unknown> {
  numbers: Numbers;
}

export interface Server {
  ask(path: string, body: object): Promise<Answer>; // rejects: no answer, a late one, nonsense
  tell(path: string, body: object): void; // survives the page, wants no answer
}

export function serverAt(base: string): Server {
  const send = (path: string, body: object, more: RequestInit): Promise<Response> =>
    fetch(base + path, { method: "POST", body: JSON.stringify(body), credentials: "include", ...more });
  return {
    async ask(path, body) {
      const stop = new AbortController();
      const timer = setTimeout(() => stop.abort(), GIVE_UP_MILLISECONDS);
      try {
        const answer = await send(path, body, { signal: stop.signal });
        const said = answer.ok && (await answer.json());
        if (!said.numbers) throw answer; // every answer of ours has them
        return said;
      } finally {
        clearTimeout(timer);
      }
    },
    tell(path, body) {
      if (!navigator.sendBeacon || !navigator.sendBeacon(base + path, JSON.stringify(body)))
        send(path, body, { keepalive: true }).catch(() => undefined);
    },
  };
}
