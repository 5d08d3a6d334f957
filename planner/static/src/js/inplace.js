// Forms that are sent when something in them changes, and answered in place (hx-get on the form): what is around
// is drawn again, and whoever fills it in stays where they are.
const DATES = "input[type=date][data-submit-on-change]";

let typed = null; // the date that is being typed
let places = []; // where the focus goes on
let folds = []; // what somebody has opened or folded

export function startInPlace() {
  hideButtons();
  sendOnChange();
  answerInPlace();
}

function hideButtons() {
  for (const button of document.querySelectorAll("[data-change-submit]")) button.hidden = true;
}

function send(form) {
  form?.requestSubmit(form.querySelector("[data-change-submit]") ?? undefined);
}

// A date that is being typed passes through years such as 0002, so it is sent when the dates are left; one that
// is picked is sent at once.
function sendOnChange() {
  document.addEventListener("keydown", (event) => {
    if (event.target.matches(DATES) && !/^(Tab|Enter|Escape|Shift)$/.test(event.key)) typed = event.target;
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit-on-change]") && event.target !== typed) send(event.target.form);
  });
  document.addEventListener("focusout", (event) => {
    if (!typed || !event.target.matches(DATES) || event.relatedTarget?.matches(DATES)) return;
    const form = typed.form;
    typed = null;
    if ([...form.querySelectorAll(DATES)].some((field) => field.value !== field.defaultValue)) send(form);
  });
  document.addEventListener("submit", () => (typed = null));
}

function answerInPlace() {
  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx } = event.detail;
    const at = document.activeElement;
    places = [at?.id, at?.dataset.next].filter(Boolean);
    folds = [...document.querySelectorAll("details[data-keep]")].map(({ id, open }) => [id, open]);
    if (ctx.response?.status >= 400 && isOfForm(ctx)) {
      event.preventDefault();
      location.assign(ctx.request.action);
    }
  });

  document.addEventListener("htmx:after:swap", () => {
    hideButtons();
    for (const [id, open] of folds) document.getElementById(id)?.toggleAttribute("open", open);
    if (document.activeElement !== document.body) return;
    places.map((id) => document.getElementById(id)).find(Boolean)?.focus({ preventScroll: true });
  });

  // What cannot be had in place is asked for as a page, so that at least the browser says why.
  document.addEventListener("htmx:error", ({ detail }) => {
    if (detail.ctx && isOfForm(detail.ctx)) location.assign(detail.ctx.request.action);
  });

  // Going back is a page of its own: never what some field was set to meanwhile.
  document.addEventListener("htmx:before:history:restore", (event) => {
    event.preventDefault();
    location.replace(location.href);
  });
}

function isOfForm(ctx) {
  return ctx.sourceElement?.matches("form[method=get]");
}
