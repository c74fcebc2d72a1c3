// Single keys for the desk. Everything works without this file; no key records anything by itself.
const of = (id) => document.getElementById(id);
const follow = (id) => of(id)?.click();
const choose = (verdict) => {
  const radio = document.querySelector(`input[name="verdict"][value="${verdict}"]`);
  if (!radio) return;
  radio.checked = true;
  const apart = verdict === "different" && document.querySelector('input[name="apart"]');
  (apart || of("reason") || radio).focus();
};
const part = (number) => {
  const radio = document.querySelector(`input[name="apart"][value="${number}"]`);
  if (!radio) return;
  choose("different");
  radio.checked = true;
  of("reason").focus();
};
const swap = () => {
  const sides = [...document.querySelectorAll('.swap > input[type="radio"]')];
  const now = sides.findIndex((side) => side.checked);
  const other = sides[(now + 1) % sides.length];
  if (!other) return;
  other.checked = true;
  other.focus();
};
const search = () => {
  if (of("search")) of("search").focus();
  else document.querySelector(".top nav a")?.click();
};
const help = () => {
  const details = of("help");
  if (!details) return;
  details.open = !details.open;
  if (details.open) details.querySelector("summary").focus();
};
const KEYS = {
  s: () => choose("same"), d: () => choose("different"), u: () => choose("unsure"), k: () => follow("skip"),
  x: swap, n: () => follow("next"), p: () => follow("previous"), "/": search, "?": help,
  r: () => { if (of("reveal")?.querySelector("button")) of("reveal").requestSubmit(); },
};
for (const number of "123456789") KEYS[number] = () => part(number);
const writes = (element) => element.matches('input:not([type="radio"]):not([type="checkbox"]), select, textarea');

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && writes(event.target)) event.target.blur();
  if (document.body.dataset.keys !== "on" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (writes(event.target) || !Object.hasOwn(KEYS, event.key)) return;
  event.preventDefault();
  KEYS[event.key]();
});

// A form that was sent is not sent twice by an impatient second click.
for (const form of document.querySelectorAll('form[method="post"]')) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
