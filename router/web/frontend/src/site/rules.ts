/* Which numbers may be in a text, and what is to be there instead: the pool's number, or the company's own again. */

import { chosen, type Parts, type Pool } from "./configuration";
import { isPart } from "./context";
import { digitsOf, edited, find, nationalOf, replaced, respelled, spellingsOf } from "./spelling";
import type { Edit, Match } from "./spelling";

/** One number that may be on the page. */
interface Rule {
  own: Parts; // as the company's own number is spelled
  looked: string; // what is looked for, national
  shown: boolean; // it is the one to be shown, so that nothing is to be done about it
  spellings: RegExp;
}

/** A number in a text, and the company's own that it is or stands in for. */
interface Found extends Match {
  own: Parts;
}

export interface Texts {
  shown: string; // what the visitor is to read
  own: string; // what the page says without us
  pools: Pool[]; // whose numbers it has
}

/** For people, or to be dialled: then nothing around a number makes it another one. */
export type Form = "display" | "number";

export interface Rules {
  renew(): void; // after numbers changed
  knows(digits: string, rivals: Pool[]): boolean; // whether a number of these pools may be among them
  texts(said: string, form: Form, holder?: Element, all?: boolean): Texts | undefined;
  left(said: string): Match[]; // the company's numbers in it that others stand in for
  readonly full: number; // how many numbers are looked for
}

export function rulesFor(pools: Pool[]): Rules {
  let rules: Rule[] = [];

  /** The pools that stand in for a company's number, there or anywhere. */
  const rivalsFor = (own: Parts, place?: Element): Pool[] =>
    pools.filter(({ replaces }) =>
      replaces.some(
        ({ country, national, within }) =>
          country === own.country && national === own.national && (!within || !place || place.closest(within)),
      ),
    );

  function matches(said: string, form: Form, holder: Element | undefined, all: boolean | undefined): Found[] {
    const digits = digitsOf(said);
    const found = rules
      .filter(({ looked, shown }) => (all || !shown) && digits.includes(looked.slice(-6)))
      .flatMap(({ own, looked, spellings }) =>
        find(said, spellings, looked.length).map((match) => ({ ...match, national: looked, own })),
      )
      .filter((match) => (form === "number" || !isPart(said, match)) && rivalsFor(match.own, holder).length)
      .sort((one, other) => one.from - other.from);
    return found.filter(({ from }, at) => !at || from >= found[at - 1]!.to);
  }

  /** What takes a number's place: the same spelling with other digits, or another length or country whole. */
  function edit(said: string, found: Found, goal: string, whole: string): Edit {
    const { national, old } = found;
    const alike = goal === national || (!old && goal.length === national.length);
    return alike ? respelled(said, found, old ? "" : goal) : replaced(said, found, whole);
  }

  return {
    renew() {
      rules = pools.flatMap(({ replaces }) => replaces).flatMap((own) => {
        const rivals = rivalsFor(own);
        const pool = chosen(rivals);
        const numbers = rivals.flatMap(({ number, former }) => [number, ...former]);
        const shown = pool && nationalOf(pool.number, own.country);
        return [...new Set([own.national, ...numbers.map((number) => nationalOf(number, own.country))])]
          .filter(Boolean)
          .map((looked) => ({
            own,
            looked,
            shown: looked === shown,
            spellings: spellingsOf(looked === own.national ? own : { ...own, old: [] }, looked),
          }));
      });
    },
    knows: (digits, rivals) =>
      rules.some(
        ({ own, looked, shown }) =>
          !shown && digits.includes(looked) && rivals.some(({ replaces }) => replaces.includes(own)),
      ),
    texts(said, form, holder, all) {
      const found = matches(said, form, holder, all);
      if (!found.length) return;
      const seen = new Set<Pool>();
      let [shown, own] = [said, said];
      for (const match of found.reverse()) {
        const { country, national } = match.own;
        const rivals = rivalsFor(match.own, holder);
        for (const pool of rivals) seen.add(pool);
        const pool = chosen(rivals);
        const whole = `+${country}${national}`;
        const goal = pool ? nationalOf(pool.number, country) : national;
        shown = edited(shown, edit(said, match, goal, pool ? pool[form] : whole));
        own = edited(own, edit(said, match, national, whole));
      }
      return { shown, own, pools: [...seen] };
    },
    left: (said) =>
      matches(said, "display", undefined, false).filter(({ own, national }) => {
        const pool = chosen(rivalsFor(own));
        return pool && national === own.national;
      }),
    get full() {
      return rules.length;
    },
  };
}
