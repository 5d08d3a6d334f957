const sent = new WeakSet();

function rest(form) {
  sent.delete(form);
  form.querySelectorAll(".is-busy").forEach((button) => {
    button.classList.remove("is-busy");
    button.removeAttribute("aria-busy");
  });
}

export function startForms() {
  // Buttons are never disabled here: a disabled submitter would not send its own name and value,
  // which says what the form should do.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("data-repeat")) return;
    if (sent.has(form)) {
      event.preventDefault();
      return;
    }
    sent.add(form);
    if (event.submitter?.classList.contains("btn")) {
      event.submitter.classList.add("is-busy");
      event.submitter.setAttribute("aria-busy", "true");
    }
    // A download answers without leaving the page.
    setTimeout(() => rest(form), 8000);
  });

  window.addEventListener("pageshow", () => document.querySelectorAll("form").forEach(rest));

  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (!form || !event.target.matches("[data-submit-on-change]")) return;
    form.requestSubmit(form.querySelector("[data-change-submit]") ?? undefined);
  });
  document.querySelectorAll("[data-change-submit]").forEach((button) => {
    button.hidden = true;
  });

  const summary = document.querySelector("[data-error-summary]");
  const wrong = document.querySelector("[aria-invalid='true']");
  (summary ?? wrong)?.focus();
}
