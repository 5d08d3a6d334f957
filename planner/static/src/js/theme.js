const YEAR = 60 * 60 * 24 * 365;
const ORDER = ["auto", "light", "dark"];

// The choice lives in a cookie, not in localStorage, so that the server can render the first
// frame in the right colours.
function save(theme) {
  const secure = location.protocol === "https:" ? ";secure" : "";
  document.cookie = `theme=${theme};path=/;max-age=${theme === "auto" ? 0 : YEAR};samesite=lax${secure}`;
}

function current() {
  return document.documentElement.dataset.theme || "auto";
}

function label(button) {
  const text = button.querySelector("[data-theme-label]");
  if (text) text.textContent = button.dataset[`label${current()[0].toUpperCase()}${current().slice(1)}`];
}

export function startTheme() {
  document.querySelectorAll("[data-theme-toggle]").forEach((button) => {
    button.hidden = false;
    label(button);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-toggle]");
    if (!button) return;
    const next = ORDER[(ORDER.indexOf(current()) + 1) % ORDER.length];
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    save(next);
    label(button);
  });
}
