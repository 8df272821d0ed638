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

/** What is known now. */
export function identity(): Identity {
  const cookies = document.cookie.split("; ");
  const cookie = (name: string): string[] =>
    cookies.filter((pair) => pair.startsWith(name)).map((pair) => pair.slice(pair.indexOf("=") + 1));
  return {
    ...ids({
      ga_client_id: /\d+\.\d+$/.exec(cookie("_ga=")[0] || "")?.[0],
      ga_session_id: newestSession(cookie("_ga_")),
      ym_client_id: cookie("_ym_uid=")[0],
    }),
    ...learned,
  };
}

/** The session of the stream seen last: `GS1.1.<session>.<n>.<engaged>.<seen>…`, `GS2.1.s<session>$o<n>$t<seen>…`. */
function newestSession(cookies: string[]): string | undefined {
  let newest = 0;
  let session: string | undefined;
  for (const cookie of cookies) {
    const [form, , first = "", , , last = ""] = cookie.split(".");
    const parts = first.split(/\$|%24/);
    const part = (letter: string): string => parts.find((word) => word[0] === letter)?.slice(1) || "";
    const [id, seen] = form === "GS2" ? [part("s"), part("t")] : [first, last];
    if (+id && (+seen || 1) > newest) [newest, session] = [+seen || 1, id];
  }
  return session;
}

/** Ask the analytics scripts that are here by now; `tell` is called whenever one answers. */
export function learn(tell: () => void): void {
  const heard = (key: keyof Identity) => (value: unknown) =>
    attempt(() => {
      Object.assign(learned, ids({ [key]: String(value) }));
      tell();
    });
  const { dataLayer, ym } = analytics;
  const gtag: Command | undefined =
    analytics.gtag ||
    (Array.isArray(dataLayer)
      ? function () {
          dataLayer.push(arguments); // the arguments object itself is what Google's script takes for a command
        }
      : undefined);
  const streams = [...Object.keys(analytics.google_tag_manager || {}), ...configured(dataLayer)];
  const stream = streams.find((name) => /^G-/.test(name));
  if (gtag && stream) {
    attempt(gtag, "get", stream, "client_id", heard("ga_client_id"));
    attempt(gtag, "get", stream, "session_id", heard("ga_session_id"));
  }
  const counters = [
    ...Object.keys(window).map((name) => /^yaCounter(\d+)$/.exec(name)?.[1]),
    ...[...(ym?.a || [])].map((command) => command[0]),
  ];
  const counter = counters.find(Boolean);
  if (ym && counter) attempt(ym, +(counter as string), "getClientID", heard("ym_client_id"));
}

const configured = (dataLayer: unknown): string[] =>
  Array.isArray(dataLayer)
    ? dataLayer.filter((entry) => entry?.[0] === "config").map((entry) => String(entry[1]))
    : [];

const ids = (found: Identity): Identity =>
  Object.fromEntries(Object.entries(found).filter(([, value]) => /^[\w.-]+$/.test(value || "")));

/** What the owner's page adds: data-… of the script's element, and `window.ringtraceParameters`. */
export function parameters(script: HTMLElement | null): Record<string, string> {
  const given = { ...script?.dataset, ...analytics.ringtraceParameters };
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]));
}
