function left(deadline, now) {
  const seconds = Math.max(0, Math.ceil((deadline - now) / 1000));
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = String(seconds % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

function tick() {
  const now = Date.now();
  document.querySelectorAll("[data-deadline]").forEach((element) => {
    const deadline = Date.parse(element.dataset.deadline);
    if (Number.isNaN(deadline)) return;
    const over = deadline <= now;
    // Past a day, the date the server wrote says more than a count of hours.
    if (deadline - now > 86_400_000) return;
    const text = over ? element.dataset.over || "0:00" : left(deadline, now);
    if (element.textContent !== text) element.textContent = text;
    element.closest(".countdown")?.classList.toggle("is-over", over);
  });
}

export function startCountdowns() {
  tick();
  setInterval(tick, 1000);
}
