/* What only the browser knows or does: the reader's time zone, forms that empty themselves, filters that submit, and a
   list that says that it waits for its answer. */

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const remembered = document.cookie.split("; ").find((pair) => pair.startsWith("ringtrace_zone="));

if (zone && remembered !== `ringtrace_zone=${zone}`) {
  document.cookie = `ringtrace_zone=${zone}; path=/; max-age=31536000; samesite=lax`;
  // times on this page are in another zone: fetch it again, once, if the cookie was taken
  if (document.cookie.includes(`ringtrace_zone=${zone}`) && document.querySelector("main time")) location.reload();
}

document.addEventListener("htmx:afterRequest", (event) => {
  const { elt, successful } = (event as CustomEvent).detail;
  if (!successful) return;
  document.querySelector("#notice")?.replaceChildren();
  if (elt instanceof HTMLFormElement && "clear" in elt.dataset) elt.reset();
});

// an empty field says nothing: keep addresses short
document.addEventListener("htmx:configRequest", (event) => {
  // not `parameters`: to it, a field named "keys" is the method of FormData
  const { elt, formData } = (event as CustomEvent<{ elt: Element; formData: FormData }>).detail;
  if (elt.id !== "filters") return;
  for (const name of new Set(formData.keys()))
    if (formData.getAll(name).every((value) => value === "")) formData.delete(name);
});

/* A refusal is shown in the form that was refused: the top of the page may be far away. */
document.addEventListener("htmx:beforeSwap", (event) => {
  const { detail } = event as CustomEvent<{
    elt: Element;
    xhr: XMLHttpRequest;
    requestConfig: { elt: Element };
    shouldSwap: boolean;
  }>;
  const form = detail.requestConfig.elt.closest("form");
  if (!form || form.id === "filters" || detail.xhr.status < 400) return;
  const answer = new DOMParser().parseFromString(detail.xhr.responseText, "text/html");
  const notice = answer.querySelector(".notice");
  if (!notice) return;
  detail.shouldSwap = false;
  form.querySelector(".notice")?.remove();
  notice.setAttribute("role", "alert");
  form.append(document.adoptNode(notice));
  form.querySelector<HTMLInputElement>("input:not([type=hidden])")?.select();
});

document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt } = (event as CustomEvent<{ elt: Element }>).detail;
  elt.closest("form")?.querySelector(".notice")?.remove();
});

function setBusy(event: Event, busy: boolean): void {
  const { target } = (event as CustomEvent<{ target: unknown }>).detail;
  if (!(target instanceof HTMLElement)) return;
  const list = target.closest("#results");
  if (busy) list?.setAttribute("aria-busy", "true");
  else document.querySelector("#results")?.removeAttribute("aria-busy");
}

document.addEventListener("htmx:beforeRequest", (event) => setBusy(event, true));
document.addEventListener("htmx:afterRequest", (event) => setBusy(event, false));

/* On a narrow screen the line of pages is moved sideways, to the page that is open. */
const pages = document.querySelector<HTMLElement>(".top nav");
const shown = pages?.querySelector<HTMLElement>("[aria-current]");
if (pages && shown) pages.scrollLeft = shown.offsetLeft - (pages.clientWidth - shown.offsetWidth) / 2;
