function isTyping(target) {
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

export function startKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.altKey) return;
    const search = event.key === "/" && !event.ctrlKey && !event.metaKey && !isTyping(event.target);
    const palette = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey);
    if (search || palette) {
      const box = document.querySelector("[data-search]");
      if (!box) return;
      event.preventDefault();
      box.focus();
      box.select();
    } else if (event.key === "Escape") {
      const open = event.target.closest?.("details[open][data-menu]");
      if (!open) return;
      open.open = false;
      open.querySelector("summary").focus();
    }
  });

  document.addEventListener("click", (event) => {
    document.querySelectorAll("details[open][data-menu]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });
}
