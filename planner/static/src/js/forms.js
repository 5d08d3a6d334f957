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

  // Enter presses what the field is about, where that is not the first button of its form.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || !event.target.matches("[data-enter] input")) return;
    const button = buttonOf(event.target);
    if (!button) return;
    event.preventDefault();
    if (!button.disabled) event.target.form.requestSubmit(button);
  });
  unfold();

  const summary = document.querySelector("[data-error-summary]");
  const wrong = document.querySelector("[aria-invalid='true']");
  (summary ?? wrong)?.focus();
}

// The button beside the field, else the one that is named, else the primary one of the form.
function buttonOf(field) {
  const area = field.closest("[data-enter]");
  const named = area.dataset.enter;
  const isMeant = (each) => each.type === "submit" && (named ? each.value === named : each.matches(".btn-primary"));
  return area.querySelector("button") ?? [...field.form.elements].find(isMeant);
}

// A link to a part of a page means the form that is folded there: …/patients/x#dates.
function unfold() {
  const part = location.hash && document.getElementById(location.hash.slice(1));
  const fold = part && (part.matches("details") ? part : part.querySelector("details.fold"));
  if (fold) fold.open = true;
}
