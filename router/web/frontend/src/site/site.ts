/* What a company's page carries: shows each visitor a number of their own, and never harms the page. */

import type { Configuration, Pool } from "./configuration";
import { parameters } from "./identity";
import { interest } from "./interest";
import { TEL } from "./places";
import { attempt, hear } from "./scanning";
import { serverAt } from "./server";
import { showing } from "./showing";
import { visit } from "./visit";

declare const ringtraceConfiguration: Configuration; // an argument of the function around the bundle

interface Global {
  ringtrace?: { consent?: unknown };
}

function start(configuration: Configuration): void {
  const script = document.currentScript as HTMLScriptElement;
  const pools = configuration.pools.map((pool): Pool => ({ ...pool, number: "", display: "", lease: "", former: [] }));
  const begun = visit(configuration, pools, serverAt(script.src.replace(/\/site\/[^/]*$/, "")), parameters(script), () => {
    page.refresh();
    announce();
  });
  const show = (wanted: Pool | string = ""): Promise<unknown> =>
    Promise.all(pools.filter((pool) => !wanted || pool === wanted || pool.id === wanted).map(begun.want));
  const watch = interest(show);
  const page = showing(pools, configuration.exclude, begun, (pool, element) => {
    if (pool.asked) return;
    if (pool.on_request) watch(element, pool);
    else void begun.want(pool);
  });

  hear("click", tap);
  hear("submit", submitted);

  function tap(event: Event): void {
    const link = event.composedPath().find((one) => one instanceof Element && one.matches(TEL));
    const number = link && page.numberIn((link as Element).getAttribute("href")!);
    if (number) begun.tell("tap", { number });
  }

  function submitted({ target }: Event): void {
    const form = target as Element;
    if (form.matches("[data-ringtrace-form]"))
      form.querySelectorAll<HTMLInputElement>("input[type=tel]").forEach(({ value }) => leave(value));
  }

  function leave(phone: string): void {
    if (phone) begun.tell("form", { phone: String(phone).slice(0, 40) });
  }

  (window as Global).ringtrace = Object.freeze({
    consent: begun.consent,
    show: (pool?: string) => show(pool).then(() => undefined),
    form: (phone: string) => attempt(leave, phone),
    get code() {
      return begun.code;
    },
    get visit() {
      return begun.id;
    },
  });
  announce();
  page.refresh();
  const ready = (): void => void begun.begin();
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", ready);
  else ready();
}

const announce = (): void => void dispatchEvent(new Event("ringtrace"));

// an element with this id would also be a property of the window
const { ringtrace } = window as Global;
if (!ringtrace || !ringtrace.consent) attempt(start, ringtraceConfiguration);
