// sessionStorage: a half-typed call survives a closed laptop lid or a reload, but never the tab,
// because patients' data must not stay on a shared machine.
const UNSAVED = /^(hidden|password|file|submit|button)$/;

function read(form) {
  const values = {};
  for (const field of form.elements) {
    if (!field.name || UNSAVED.test(field.type)) continue;
    const isChoice = field.type === "checkbox" || field.type === "radio";
    if (isChoice && !field.checked) continue;
    (values[field.name] ??= []).push(field.value);
  }
  return values;
}

function write(form, values) {
  for (const field of form.elements) {
    if (!field.name || UNSAVED.test(field.type)) continue;
    const stored = values[field.name];
    if (field.type === "checkbox" || field.type === "radio") field.checked = stored?.includes(field.value) ?? false;
    else if (field.multiple) for (const option of field.options) option.selected = stored?.includes(option.value) ?? false;
    else if (stored) field.value = stored[0];
  }
}

export function startDrafts() {
  document.querySelectorAll("form[data-draft]").forEach((form) => {
    const key = `draft:${form.dataset.draft}`;
    const blank = JSON.stringify(read(form));
    const stored = sessionStorage.getItem(key);
    // What the server rendered after an error is newer than any draft.
    if (stored && stored !== blank && !form.querySelector("[aria-invalid='true']")) {
      write(form, JSON.parse(stored));
      const note = form.querySelector("[data-draft-note]");
      if (note) note.hidden = false;
    }
    form.addEventListener("input", () => sessionStorage.setItem(key, JSON.stringify(read(form))));
    form.addEventListener("submit", () => sessionStorage.removeItem(key));
    form.addEventListener("click", (event) => {
      if (!event.target.closest("[data-draft-discard]")) return;
      sessionStorage.removeItem(key);
      write(form, JSON.parse(blank));
      form.querySelector("[data-draft-note]").hidden = true;
    });
  });
}
