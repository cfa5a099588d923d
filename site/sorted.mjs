// A table that is sorted by a click on a column's head, and filtered by words.
const number = (cell) => Number.parseFloat((cell.dataset.value ?? cell.textContent).replace("−", "-"));

function sort(table, column, head) {
  const up = head.getAttribute("aria-sort") === "descending" || !head.hasAttribute("aria-sort") && !head.dataset.down;
  for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const compare = (a, b) => {
    const [x, y] = [a.cells[column], b.cells[column]];
    const [m, n] = [number(x), number(y)];
    if (Number.isNaN(m) || Number.isNaN(n)) {
      const last = Number.isNaN(m) - Number.isNaN(n); // what has no number stands last, either way
      return last && !(Number.isNaN(m) && Number.isNaN(n)) ? last : (up ? 1 : -1) * x.textContent.localeCompare(y.textContent);
    }
    return up ? m - n : n - m;
  };
  table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compare));
}

for (const table of document.querySelectorAll("table.sorted")) {
  for (const [column, head] of [...table.tHead.rows[0].cells].entries()) {
    head.firstElementChild.addEventListener("click", () => sort(table, column, head));
  }
}

for (const box of document.querySelectorAll("input[data-filters]")) {
  const rows = [...document.getElementById(box.dataset.filters).tBodies[0].rows];
  box.addEventListener("input", () => {
    const words = box.value.toLowerCase().split(/\s+/);
    for (const row of rows) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
  });
}
