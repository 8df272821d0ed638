/* Speaks to the server that this script came from: briefly, or not at all.

Bodies are text/plain, so that browsers ask no leave first. */

const GIVE_UP_MILLISECONDS = 1500;

/** What an answer that is none is thrown as. */
export interface Refused {
  status: number; // as in HTTP; 0: not an answer of ours
}

const refused = (status: number): Refused & Error => Object.assign(new Error(), { status });

export interface Server {
  ask(path: string, body: object): Promise<Record<string, unknown>>; // rejects: no answer, a late one, nonsense
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
        if (!answer.ok) throw refused(answer.status);
        const said: unknown = await answer.json();
        if (!said || typeof said !== "object") throw refused(0);
        return said as Record<string, unknown>;
      } finally {
        clearTimeout(timer);
      }
    },
    tell(path, body) {
      if (!navigator.sendBeacon?.(base + path, JSON.stringify(body)))
        send(path, body, { keepalive: true }).catch(() => undefined);
    },
  };
}
