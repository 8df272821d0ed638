/* Speaks to the server that this script came from.

Bodies are text/plain, so that browsers ask no leave first. */

import type { Numbers } from "./configuration";
import { GIVE_UP_MILLISECONDS } from "./limits";
import { attempt } from "./scanning";

/** What is thrown for an answer that is none. */
export interface Refused {
  status?: number; // as in HTTP
}

export interface Answer extends Record<string, unknown> {
  numbers: Numbers;
}

export interface Server {
  ask(path: string, body: object): Promise<Answer>; // rejects: no answer, nonsense
  tell(path: string, body: object): void; // survives the page, wants no answer
}

/** What an answer says, if it is a text, and if it is a key. */
export const text = (value: unknown): string => (typeof value === "string" ? value : "");
export const word = (value: unknown): string => (/^[\w.-]{1,64}$/.test(text(value)) ? text(value) : "");

export function serverAt(base: string): Server {
  const send = async (path: string, body: object, more: RequestInit): Promise<Response> =>
    fetch(base + path, { method: "POST", body: json(body), credentials: "include", ...more });
  return {
    ask: (path, body) =>
      new Promise((done, refuse) => {
        const request = new XMLHttpRequest(); // pages replace fetch, and break it
        request.onloadend = () => {
          attempt(() => {
            const said = JSON.parse(request.responseText);
            if (said.numbers) done(said); // every answer of ours has them
          });
          refuse(request);
        };
        request.open("POST", base + path);
        request.timeout = GIVE_UP_MILLISECONDS;
        request.withCredentials = true;
        request.send(json(body));
      }),
    tell(path, body) {
      const beacon = (): unknown => navigator.sendBeacon && navigator.sendBeacon(base + path, json(body));
      const keepalive = (): Promise<unknown> => send(path, body, { keepalive: true }).catch(() => undefined);
      // blockers stop beacons to other domains, and let requests pass
      if ("keepalive" in Request.prototype) send(path, body, { keepalive: true }).catch(beacon);
      else if (!beacon()) void keepalive();
    },
  };
}

/** JSON, though old libraries give arrays a `toJSON` that makes texts of them. */
function json(body: object): string {
  for (const value of [body, ...Object.values(body)])
    if (value instanceof Object) Object.defineProperty(value, "toJSON", { __proto__: null, value: undefined } as PropertyDescriptor);
  return JSON.stringify(body);
}
