export function startBoard() {
  // The day opens where the work is: the now-line, else the first appointment.
  document.querySelectorAll("[data-board]").forEach((board) => {
    const anchor = board.querySelector(".board-col .board-now") ?? board.querySelector(".appt");
    if (!anchor) return;
    const head = board.querySelector(".board-head").offsetHeight;
    const offset = anchor.getBoundingClientRect().top - board.getBoundingClientRect().top;
    board.scrollTop = Math.max(0, offset - head - 120);
  });
}
