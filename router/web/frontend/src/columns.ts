/* The order of the columns: a column moves within the menu, and its button keeps the focus. Without this script each move
   is a page of its own. */

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest<HTMLButtonElement>("[data-ordered] li button") : null;
  const item = button?.closest("li");
  if (!button || !item) return;
  event.preventDefault();
  const other = button.value.endsWith(".up") ? item.previousElementSibling : item.nextElementSibling;
  if (!other) return;
  if (button.value.endsWith(".up")) other.before(item);
  else other.after(item);
  button.focus();
  item.scrollIntoView({ block: "nearest" });
});

// a menu closes with Escape, and when something else is pressed
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" ? (event.target as Element).closest<HTMLDetailsElement>("details.menu[open]") : null;
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary")?.focus();
});

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu[open]"))
    if (event.target instanceof Node && !menu.contains(event.target) && event.target.isConnected) menu.open = false;
});
