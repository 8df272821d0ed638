/* What the page's own analytics and the site's owner know of the visitor. Cookies are read at once, for nothing waits;
what Google's and Yandex's scripts answer later is told with the next sign of life. */

import { attempt } from "./scanning";

export interface Identity {
  ga_client_id?: string;
  ga_session_id?: string;
  ym_client_id?: string;
}

type Command = (...given: unknown[]) => void;

interface Analytics {
  dataLayer?: unknown[];
  google_tag_manager?: object;
  gtag?: Command;
  ym?: Command & { a?: ArrayLike<unknown>[] };
  ringtraceParameters?: object;
}

const analytics = window as unknown as Analytics;
const learned: Identity = {};

const found = (pattern: RegExp, text: string): string | undefined => (pattern.exec(text) || [])[1];

/** What is known now. */
export function identity(): Identity {
  const { cookie } = document;
  return {
    ...ids({
      ga_client_id: found(/(?:^|; )_ga=[^;]*?(\d+\.\d+)(?:;|$)/, cookie),
      ga_session_id: newestSession(cookie.split("; ")),
      ym_client_id: found(/(?:^|; )_ym_uid=([^;]*)/, cookie),
    }),
    ...learned,
  };
}

/** The session of the stream seen last: `GS1.1.<session>.<n>.<engaged>.<seen>…`, `GS2.1.s<session>$o<n>$t<seen>…`. */
function newestSession(cookies: string[]): string | undefined {
  let newest = 0;
  let session: string | undefined;
  for (const cookie of cookies) {
    const id = found(/^_ga_.*?=GS(?:1\.\d+\.|2.*?(?:[.$]|%24)s)(\d+)/, cookie);
    const seen = +(found(/=GS(?:1(?:\.\d+){4}\.|2.*?(?:[.$]|%24)t)(\d+)/, cookie) || 1);
    if (id && seen > newest) [newest, session] = [seen, id];
  }
  return session;
}

/** Ask the analytics scripts that are here by now; `tell` is called whenever one answers. */
export function learn(tell: () => void): void {
  const heard = (key: string) => (value: unknown) =>
    attempt(() => {
      Object.assign(learned, ids({ [key]: String(value) }));
      tell();
    });
  const { dataLayer, ym, google_tag_manager } = analytics;
  const events = (Array.isArray(dataLayer) ? dataLayer : []) as ArrayLike<unknown>[];
  const gtag: Command =
    analytics.gtag ||
    function () {
      events.push(arguments); // the arguments object itself is what Google's script takes for a command
    };
  const configured = events.filter((event) => event && event[0] === "config").map((event) => String(event[1]));
  const stream = [...Object.keys(google_tag_manager || {}), ...configured].find((name) => /^G-/.test(name));
  if (stream)
    for (const what of ["client_id", "session_id"]) attempt(gtag, "get", stream, what, heard(`ga_${what}`));
  const loaded = Object.keys(window).map((name) => found(/^yaCounter(\d+)$/, name));
  const counter = [...loaded, ...[...((ym && ym.a) || [])].map((command) => command[0])].find(Boolean);
  if (ym && counter) attempt(ym, +(counter as string), "getClientID", heard("ym_client_id"));
}

const ids = (found: Identity): Identity =>
  Object.fromEntries(Object.entries(found).filter(([, value]) => /^[\w.-]+$/.test(value || "")));

/** What the owner's page adds: data-… of the script's element, and `window.ringtraceParameters`. */
export function parameters(script: HTMLElement): Record<string, string> {
  const given = { ...script.dataset, ...analytics.ringtraceParameters };
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]));
}
