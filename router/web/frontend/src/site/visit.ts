/* One visit on one page: it begins, gets its numbers, shows that it is alive, and leaves. */

import type { Configuration, Numbers, Pool } from "./configuration";
import { identity, learn, type Identity } from "./identity";
import { ALIVE_SECONDS, HOLD_SECONDS, LONGEST_ADDRESS, LONGEST_ALIVE, SHORTEST_ALIVE, SLOWEST } from "./limits";
import { attempt } from "./scanning";
import type { Answer, Refused, Server } from "./server";
import { digitsOf } from "./spelling";

const KEPT = "ringtrace_visitor";

export interface Visit {
  id: string;
  code: string;
  mail: string;
  want(pool: Pool): Promise<void> | undefined;
  begin(): Promise<void>;
  consent(): Promise<void> | undefined;
  tell(what: string, body: object): void;
}

export function visit(
  { site, consent: needsConsent }: Configuration,
  pools: Pool[],
  server: Server,
  parameters: Record<string, string>,
  changed: () => void,
): Visit {
  let consent = !needsConsent;
  let arrived = false;
  let asking: Promise<void> | undefined;
  let pause = 0; // milliseconds between signs of life
  let hold = 0; // milliseconds; so long after a sign of life a number is the visitor's
  let misses = 0;
  let aliveAt = 0;
  let timer = 0;
  let told: Identity = {};
  let path = location.pathname;
  const wanted = new Set<Pool>();

  const held = (): Pool[] => pools.filter(({ lease }) => lease);
  const leases = (): string[] => held().map(({ lease }) => lease);
  const about = (what: string): string => `/api/visits/${begun.id}/${what}`;

  /** Ask for all that is wanted, one request at a time. Never rejects. */
  function ask(): Promise<void> {
    if (document.hidden) return Promise.resolve(); // asked when it is seen
    asking = asking || turns();
    return asking;
  }

  async function turns(): Promise<void> {
    await null; // for what else is about to be wanted
    while ((!arrived || wanted.size) && (await turn()));
    asking = undefined;
    rest();
  }

  /** Whether there was an answer. What got none is asked with the next request, or by hand again. */
  async function turn(): Promise<boolean> {
    const now = [...wanted];
    const nothing = none(now);
    const ids = Object.keys(nothing);
    const at = Date.now();
    wanted.clear();
    try {
      const { numbers } = arrived && begun.id ? await server.ask(about("numbers"), { pools: ids }) : await arrive(ids);
      take({ ...nothing, ...numbers }, at); // what is left out is not for this visitor
      return true;
    } catch {
      for (const pool of now) (pool.asked = !pool.on_request) && wanted.add(pool);
      return false;
    }
  }

  async function arrive(pools: string[]): Promise<Answer> {
    arrived = true;
    told = consent ? identity() : {};
    path = location.pathname;
    const answer = await server.ask(`/api/sites/${site}/visits`, {
      url: location.href.slice(0, LONGEST_ADDRESS),
      referrer: document.referrer.slice(0, LONGEST_ADDRESS),
      ...(consent && { visitor_id: kept(), parameters, ...told }),
      pools,
      consent,
    });
    begun.id = word(answer.visit_id);
    begun.code = text(answer.code);
    begun.mail = text(answer.mail);
    if (consent) kept(word(answer.visitor_id));
    pause = Math.min(Math.max(+answer.alive_seconds! || ALIVE_SECONDS, SHORTEST_ALIVE), LONGEST_ALIVE) * 1000;
    hold = (+answer.hold_seconds! || HOLD_SECONDS) * 1000;
    aliveAt = Date.now();
    if (begun.id) learn(know);
    return answer;
  }

  const none = (of: Pool[]): Numbers => Object.fromEntries(of.map(({ id }) => [id, {}]));

  /** Numbers that the server gave when it was asked at that time. */
  function take(numbers: Numbers, at: number): void {
    for (const pool of pools) {
      const given = numbers[pool.id];
      const { lease_id, number, display } = given || {};
      if (!given || (number && !/^\+\d{7,15}$/.test(number))) continue;
      pool.lease = word(lease_id);
      pool.until = at + hold;
      pool.former.push(pool.number);
      pool.number = number || "";
      pool.display = display && digitsOf(display) === pool.number.slice(1) ? display : pool.number;
    }
    changed();
  }

  /** A number about which the server was silent for longer than it holds it may be somebody else's by now. */
  function review(): void {
    const over = held().filter(({ until }) => Date.now() + pause >= until!);
    for (const pool of over) wanted.add(pool);
    if (over.length) take(none(over), 0);
  }

  function rest(): void {
    clearTimeout(timer);
    // a machine may sleep meanwhile: the clock is looked at more often than anything is due
    if (pause && !document.hidden) timer = setTimeout(tick, Math.min(due() - Date.now(), pause));
  }

  const due = (): number => aliveAt + pause * Math.min(2 ** misses, SLOWEST);

  function tick(): void {
    if (Date.now() >= due()) return void alive();
    review();
    rest();
  }

  async function alive(): Promise<void> {
    if (asking) return asking.then(alive);
    aliveAt = Date.now();
    try {
      if (begun.id) await live(aliveAt);
    } catch (error) {
      misses++;
      if ((error as Refused).status === 404) return again();
    }
    review();
    rest();
  }

  async function live(at: number): Promise<void> {
    const news = unknown();
    const { pathname } = location;
    const body = { leases: leases(), ...(path !== pathname && { path: pathname }), ...news };
    path = pathname;
    const { numbers } = await server.ask(about("alive"), body);
    told = { ...told, ...news };
    misses = 0;
    for (const pool of pools) pool.until = at + hold;
    if (Object.keys(numbers).length) take(numbers, at);
    if (wanted.size) void ask();
  }

  /** Begin anew: the visitor has agreed, or the server does not know this visit any more. */
  function again(): Promise<void> {
    begun.id = "";
    arrived = false;
    for (const pool of pools) if (pool.asked) wanted.add(pool);
    return ask();
  }

  let soon = 0;
  function know(): void {
    clearTimeout(soon);
    soon = setTimeout(() => Object.keys(unknown()).length && alive(), 200);
  }

  const unknown = (): Identity =>
    Object.fromEntries(Object.entries(identity()).filter(([key, value]) => told[key as keyof Identity] !== value));

  function awake(): void {
    void ask();
    rest();
  }

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
  addEventListener("online", () => {
    misses = aliveAt = 0;
    awake();
  });
  document.addEventListener("visibilitychange", awake);

  function tell(what: string, body: object): void {
    if (begun.id) server.tell(about(what), body);
  }

  const begun: Visit = {
    id: "",
    code: "",
    mail: "",
    want(pool) {
      if (pool.asked) return asking;
      pool.asked = true;
      wanted.add(pool);
      return ask();
    },
    begin: ask,
    consent() {
      if (consent) return asking;
      consent = true;
      return again();
    },
    tell,
  };
  return begun;
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const word = (value: unknown): string => (/^[\w.-]{1,64}$/.test(text(value)) ? text(value) : "");

/** Where the browser does not keep the server's cookie, the visitor's id is kept here. */
function kept(visitor?: string): string | undefined {
  let found = "";
  attempt(() => {
    if (visitor) localStorage.setItem(KEPT, visitor);
    found = word(localStorage.getItem(KEPT));
  });
  return found || undefined;
}
