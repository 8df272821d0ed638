/* What only the browser knows or does: the reader's time zone, forms that empty themselves, filters that submit. */

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
  const { elt, parameters } = (event as CustomEvent).detail;
  if (elt.id !== "filters") return;
  for (const [name, value] of Object.entries(parameters)) if (value === "") delete parameters[name];
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
