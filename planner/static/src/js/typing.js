// A part of the page that is drawn again must not take away what is being typed into it meanwhile.
export function startTyping() {
  const sent = new Map();

  document.addEventListener("htmx:before:request", () => {
    sent.clear();
    for (const field of typed()) sent.set(field.name, field.value);
  });

  document.addEventListener("htmx:before:swap", () => {
    const newer = typed().filter((field) => sent.has(field.name) && sent.get(field.name) !== field.value);
    const kept = new Map(newer.map((field) => [field.name, field.value]));
    document.addEventListener("htmx:after:swap", () => restore(kept), { once: true });
  });
}

function typed() {
  return [...document.querySelectorAll("input[type=text][name], input[type=search][name], input:not([type])[name], textarea[name]")];
}

function restore(kept) {
  for (const field of typed()) {
    if (kept.has(field.name) && field.value !== kept.get(field.name)) field.value = kept.get(field.name);
  }
}
