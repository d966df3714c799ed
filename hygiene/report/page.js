"use strict";
// Sorts and filters the table of the page, without a server. Without this script the first rows are shown.
(() => {
  const table = document.querySelector("table");
  if (!table) return;
  const body = table.tBodies[0];
  const rest = document.getElementById("rest");
  const later = rest ? Array.from(rest.content.querySelector("tbody").rows) : [];
  const rows = [...body.rows, ...later].map((row) => ({
    row,
    text: row.textContent.toLowerCase(),
    keys: Array.from(row.cells, (cell) => cell.dataset.key ?? cell.textContent),
    facts: row.dataset,
  }));
  const search = document.getElementById("search");
  const selects = Array.from(document.querySelectorAll("select[data-fact]"));
  const count = document.getElementById("count");
  const more = document.getElementById("more");
  const STEP = 250; // rows in the page at once: what a browser lays out without a pause
  let limit = STEP;

  const matches = (entry, words) =>
    selects.every((select) => !select.value || entry.facts[select.dataset.fact] === select.value) &&
    words.every((word) => entry.text.includes(word));

  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    const shown = [];
    for (const entry of rows) {
      if (!matches(entry, words)) continue;
      found += 1;
      if (found <= limit) shown.push(entry.row);
    }
    body.replaceChildren(...shown);
    count.textContent = `${found} of ${rows.length}`;
    more.hidden = found <= limit;
  };

  const sortBy = (header, index) => {
    const down = header.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    const numeric = header.dataset.numeric !== undefined;
    const order = (a, b) => (numeric ? a - b : a < b ? -1 : a > b ? 1 : 0);
    rows.sort((a, b) => order(a.keys[index], b.keys[index]) * (down ? -1 : 1));
    show();
  };

  const refilter = () => { limit = STEP; show(); };
  search.addEventListener("input", refilter);
  for (const select of selects) select.addEventListener("change", refilter);
  more.addEventListener("click", () => { limit += STEP; show(); });
  window.addEventListener("beforeprint", () => { limit = Infinity; show(); });
  Array.from(table.tHead.rows[0].cells).forEach((header, index) => {
    header.querySelector("button").addEventListener("click", () => sortBy(header, index));
  });
  document.querySelector(".filters").hidden = false;
  show();
})();
