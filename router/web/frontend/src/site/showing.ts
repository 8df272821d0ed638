/* Puts numbers into what the scanner finds, and the company's own back when a number is lost. */

import type { Parts, Pool } from "./configuration";
import { digitsOf, find, nationalOf, respell, spellingsOf, type Match } from "./spelling";
import { attempt, scanner, type Run } from "./scanning";

const UNTOUCHED = "input,textarea,select,script,style,noscript,[contenteditable],[data-ringtrace-ignore]";
const TEL = 'a[href^="tel:" i],area[href^="tel:" i]';
const CODE = "[data-ringtrace-code]";
const MAIL = "[data-ringtrace-mail]";

/** One number that may stand on the page and is not the one to be shown. */
interface Rule {
  pool: Pool;
  own: Parts; // as the company's own number is spelled
  national: string; // what is looked for
  spellings: RegExp;
}

interface Edit extends Match {
  text: string;
  spelled: boolean; // letter by letter as it was; else the text stands for all of it
}

export interface Showing {
  refresh(words: { code?: string; mail?: string }): void; // after numbers changed
  numberIn(href: string): string; // E.164 of the number of ours that a link dials, or empty
}

export function showing(pools: Pool[], exclude: string, seen: (pool: Pool, element: Element) => void): Showing {
  const untouched = exclude && isSelector(exclude) ? `${UNTOUCHED},${exclude}` : UNTOUCHED;
  const selected = pools.filter(({ selector }) => selector && isSelector(selector));
  const marked = [TEL, CODE, MAIL, ...selected.map(({ selector }) => selector)].join();
  const origins = new WeakMap<Node, Parts[]>(); // which of the company's numbers stood there, in order
  const written = new WeakMap<Node, string>(); // what was there before
  let rules: Rule[] = [];
  let words: { code?: string; mail?: string } = {};

  const page = scanner({
    run(run) {
      const edits = editsOf(run.text, run.nodes[0]!, () => owner(run.nodes[0]!), "display");
      if (edits.length) page.write(() => edits.reverse().forEach((edit) => apply(run, edit)));
    },
    element(element) {
      if (!element.matches(marked) || isUntouched(element)) return;
      for (const pool of selected) if (element.matches(pool.selector)) select(element, pool);
      if (element.matches(TEL)) link(element);
      if (words.code && element.matches(CODE)) replaceText(element, words.code);
      if (words.mail && element.matches(MAIL)) address(element, words.mail);
    },
  });

  function editsOf(text: string, place: Node, element: () => Element | null, form: "display" | "number"): Edit[] {
    const digits = digitsOf(text);
    const found = rules
      .filter(({ national }) => digits.includes(national))
      .flatMap((rule) => find(text, rule.spellings, rule.national).map((match) => ({ ...match, ...rule })))
      .sort((one, other) => one.from - other.from);
    const holder = found.length && element();
    if (!holder) return [];
    const stood = origins.get(place) || [];
    origins.set(place, stood);
    let end = 0;
    let count = 0;
    return found.flatMap(({ from, to, pool, own, national }) => {
      if (from < end) return [];
      end = to;
      if (national === own.national) stood[count] = own;
      const back = stood[count++] || own;
      const goal = pool.number ? nationalOf(pool.number, own.country) : back.national;
      // another length or country: the whole number in place of whatever stood there
      const whole = pool.number ? pool[form] : `+${back.country}${back.national}`;
      const otherwise = whole.slice(text[from - 1] === "+" ? 1 : 0);
      seen(pool, holder);
      if (goal === national) return [];
      const spelled = goal.length === national.length;
      return [{ from, to, spelled, text: spelled ? respell(text.slice(from, to), goal) : otherwise }];
    });
  }

  const owner = (node: Node): Element | null => {
    const element = node.parentNode instanceof ShadowRoot ? node.parentNode.host : node.parentElement;
    return element && isUntouched(element) ? null : element;
  };

  function isUntouched(element: Element): boolean {
    if ((element as HTMLElement).isContentEditable) return true;
    for (let at: Element | undefined = element; at; at = (at.getRootNode() as ShadowRoot).host)
      if (at.closest(untouched)) return true;
    return false;
  }

  function link(element: Element): void {
    const href = element.getAttribute("href")!.replace(/%20/g, " ");
    let changed = href;
    for (const { from, to, text } of editsOf(href, element, () => element, "number").reverse())
      changed = changed.slice(0, from) + text + changed.slice(to);
    if (changed !== href) page.write(() => element.setAttribute("href", changed));
  }

  /** An element named by selector: a number's spelling is kept, anything else gives way to the number. */
  function select(element: Element, pool: Pool): void {
    seen(pool, element);
    const text = element.textContent || "";
    const href = element.getAttribute("href") || "";
    if (pool.number) {
      if (digitsOf(text).slice(-7) === digitsOf(pool.number).slice(-7)) return;
      if (!written.has(element)) written.set(element, text);
      const country = /\d+/.exec(pool.display)?.[0] || "";
      const national = nationalOf(pool.number, country);
      const [number = ""] = /\+?\d[\d\s()\-\u2010-\u2015]{5,}\d/.exec(text) || [];
      const fits = digitsOf(number).length - national.length;
      const spelled = number && (!fits || fits === 1 || fits === country.length);
      replaceText(element, spelled ? respell(number, national) : pool.display, spelled ? number : "");
      if (/^tel:/i.test(href)) page.write(() => element.setAttribute("href", `tel:${pool.number}`));
    } else if (written.has(element)) {
      replaceText(element, written.get(element)!);
      written.delete(element);
    }
  }

  /** Change what an element says without removing a node that a framework may hold. */
  function replaceText(element: Element, text: string, part = ""): void {
    const said = element.textContent || "";
    const goal = part ? said.replace(part, () => text) : text;
    if (said === goal) return;
    const texts: Text[] = [];
    const all = document.createNodeIterator(element, NodeFilter.SHOW_TEXT);
    for (let node = all.nextNode(); node; node = all.nextNode()) texts.push(node as Text);
    page.write(() => {
      if (!texts.length) element.append(goal);
      texts.forEach((node, place) => (node.data = place ? "" : goal));
    });
  }

  function address(element: Element, mail: string): void {
    const href = element.getAttribute("href") || "";
    if (!element.childElementCount && (!element.textContent?.trim() || element.textContent.includes("@")))
      replaceText(element, mail);
    const goal = href.replace(/^mailto:[^?]*/i, () => `mailto:${mail}`);
    if (goal !== href) page.write(() => element.setAttribute("href", goal));
  }

  function refresh(now: typeof words): void {
    words = now;
    rules = pools.flatMap((pool) =>
      pool.replaces.flatMap((own) => {
        const shown = pool.number && nationalOf(pool.number, own.country);
        const formers = pool.former.map((number) => nationalOf(number, own.country));
        return [...new Set([own.national, ...formers])]
          .filter((national) => national && national !== shown)
          .map((national) => ({ pool, own, national, spellings: spellingsOf({ ...own, national }) }));
      }),
    );
    page.scan(document);
  }

  return {
    refresh,
    numberIn: (href) => {
      const digits = digitsOf(href);
      return pools.find(({ number }) => number && digits.endsWith(number.slice(-7)))?.number || "";
    },
  };
}

function apply({ nodes }: Run, { from, to, text, spelled }: Edit): void {
  let start = 0;
  let given = false;
  for (const node of nodes) {
    const size = node.data.length;
    const first = Math.max(from - start, 0);
    const last = Math.min(to - start, size);
    if (first < last) {
      const part = spelled ? text.slice(start + first - from, start + last - from) : given ? "" : text;
      const changed = node.data.slice(0, first) + part + node.data.slice(last);
      if (changed !== node.data) node.data = changed;
      given = true;
    }
    start += size + 1; // the seam
  }
}

function isSelector(text: string): boolean {
  let valid = false;
  attempt(() => {
    document.querySelector(text);
    valid = true;
  });
  return valid;
}
