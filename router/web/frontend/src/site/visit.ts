/* One visit on one page: it begins, gets its numbers, shows that it is alive, and leaves. */

import type { Configuration, Numbered, Pool } from "./configuration";
import { identity, learn, type Identity } from "./identity";
import { attempt } from "./scanning";
import type { Refused, Server } from "./server";

const KEPT = "ringtrace_visitor";
const LONGEST_ADDRESS = 2000;
const SLOWEST = 16; // a server that does not answer is asked this many times more rarely, at the most

export interface Visit {
  readonly id: string;
  readonly code: string;
  readonly mail: string;
  want(pool: Pool): Promise<void>;
  begin(): Promise<void>;
  consent(): Promise<void>;
  tell(what: string, body: object): void;
}

export function visit(
  { site, consent: needsConsent }: Configuration,
  pools: Pool[],
  server: Server,
  parameters: Record<string, string>,
  changed: () => void,
): Visit {
  let [id, code, mail] = ["", "", ""];
  let consent = !needsConsent;
  let arrived = false;
  let asking: Promise<void> | undefined;
  let aliveMilliseconds = 0;
  let misses = 0;
  let aliveAt = 0;
  let timer = 0;
  let told: Identity = {};
  let path = location.pathname;
  const wanted = new Set<Pool>();

  const leases = (): string[] => pools.map(({ lease }) => lease).filter(Boolean);
  const about = (what: string): string => `/api/visits/${encodeURIComponent(id)}/${what}`;

  /** Ask for all that is wanted, one request at a time. Never rejects. */
  function ask(): Promise<void> {
    if (document.hidden) return Promise.resolve(); // asked when it is seen
    asking ??= Promise.resolve()
      .then(async () => {
        while (!arrived || wanted.size) await turn();
      })
      .finally(() => (asking = undefined));
    return asking;
  }

  async function turn(): Promise<void> {
    const now = [...wanted];
    const ids = now.map((pool) => pool.id);
    wanted.clear();
    try {
      take(arrived && id ? await server.ask(about("numbers"), { pools: ids }) : await arrive(ids));
    } catch {
      // the page keeps what it has; who asks for a number by hand may ask again
      for (const pool of now) pool.asked = !pool.on_request;
    }
  }

  async function arrive(pools: string[]): Promise<Record<string, unknown>> {
    arrived = true;
    told = consent ? identity() : {};
    path = location.pathname;
    const answer = await server.ask(`/api/sites/${encodeURIComponent(site)}/visits`, {
      visitor_id: consent ? kept() : undefined,
      url: location.href.slice(0, LONGEST_ADDRESS),
      referrer: document.referrer.slice(0, LONGEST_ADDRESS),
      ...told,
      parameters: consent ? parameters : undefined,
      pools,
      consent,
    });
    [id, code, mail] = [word(answer.visit_id), text(answer.code), text(answer.mail)];
    if (consent) keep(word(answer.visitor_id));
    aliveMilliseconds = Math.min(Math.max(Number(answer.alive_seconds) || 60, 2), 3600) * 1000;
    aliveAt = Date.now();
    if (id) learn(know);
    rest();
    return answer;
  }

  function take({ numbers }: Record<string, unknown>): void {
    for (const [key, value] of Object.entries(numbers || {})) {
      const pool = pools.find((one) => one.id === key);
      const { lease_id, number, display } = (value || {}) as Partial<Numbered>;
      if (!pool || (number && !/^\+\d{7,15}$/.test(number))) continue;
      pool.lease = word(lease_id);
      if (pool.number && pool.number !== number) pool.former.push(pool.number);
      pool.number = number || "";
      pool.display = display && display.replace(/\D/g, "") === pool.number.slice(1) ? display : pool.number;
    }
    changed();
  }

  function rest(): void {
    clearTimeout(timer);
    if (id && !document.hidden)
      timer = window.setTimeout(alive, aliveAt + aliveMilliseconds * Math.min(2 ** misses, SLOWEST) - Date.now());
  }

  async function alive(): Promise<void> {
    if (asking) return asking.then(alive);
    if (!id) return;
    aliveAt = Date.now();
    const news = unknown();
    const moved = path !== location.pathname;
    try {
      const body = { leases: leases(), ...(moved && { path: location.pathname }), ...news };
      path = location.pathname;
      const answer = await server.ask(about("alive"), body);
      told = { ...told, ...news };
      misses = 0;
      if (Object.keys(answer.numbers || {}).length) take(answer);
    } catch (error) {
      misses++;
      if ((error as Partial<Refused>).status === 404) return again();
    }
    rest();
  }

  /** Begin anew: the visitor has agreed, or the server does not know this visit any more. */
  function again(): Promise<void> {
    id = "";
    arrived = false;
    for (const pool of pools) if (pool.asked) wanted.add(pool);
    return ask();
  }

  let soon = 0;
  function know(): void {
    clearTimeout(soon);
    soon = window.setTimeout(() => Object.keys(unknown()).length && alive(), 200);
  }

  const unknown = (): Identity =>
    Object.fromEntries(Object.entries(identity()).filter(([key, value]) => told[key as keyof Identity] !== value));

  const moved = (): void => {
    if (path !== location.pathname) setTimeout(alive);
  };
  for (const name of ["pushState", "replaceState"] as const) {
    const change = history[name];
    history[name] = function (...given) {
      change.apply(this, given);
      attempt(moved);
    };
  }
  addEventListener("popstate", moved);
  addEventListener("pageshow", ({ persisted }) => persisted && alive());
  addEventListener("pagehide", () => attempt(tell, "left", { leases: leases() }));
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && (!arrived || wanted.size)) void ask();
    rest();
  });

  function tell(what: string, body: object): void {
    if (id) server.tell(about(what), body);
  }

  return {
    get id() {
      return id;
    },
    get code() {
      return code;
    },
    get mail() {
      return mail;
    },
    want(pool) {
      if (pool.asked) return asking || Promise.resolve();
      pool.asked = true;
      wanted.add(pool);
      return ask();
    },
    begin: ask,
    consent() {
      if (consent) return asking || Promise.resolve();
      consent = true;
      return again();
    },
    tell,
  };
}

const text = (value: unknown): string => (typeof value === "string" ? value.slice(0, 200) : "");
const word = (value: unknown): string => (/^[\w.-]{1,64}$/.test(text(value)) ? text(value) : "");

/** Where the browser does not keep the server's cookie, the visitor's id is kept here. */
function kept(): string | undefined {
  let found = "";
  attempt(() => (found = word(localStorage.getItem(KEPT))));
  return found || undefined;
}

function keep(visitor: string): void {
  attempt(() => {
    if (visitor) localStorage.setItem(KEPT, visitor);
  });
}
