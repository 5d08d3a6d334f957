async function copy(button) {
  const source = document.querySelector(button.dataset.copy);
  const text = source ? source.value ?? source.textContent.trim() : button.dataset.copyText;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without clipboard permission the text is at least selected for Ctrl+C.
    source?.select?.();
    return;
  }
  const label = button.querySelector("[data-copy-label]") ?? button;
  const before = label.textContent;
  label.textContent = button.dataset.copied || before;
  setTimeout(() => {
    label.textContent = before;
  }, 2000);
}

export function startButtons() {
  document.querySelectorAll("[data-print], [data-copy], [data-copy-text]").forEach((button) => {
    button.hidden = false;
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-print], [data-copy], [data-copy-text]");
    if (!button) return;
    if (button.hasAttribute("data-print")) window.print();
    else copy(button);
  });
}
