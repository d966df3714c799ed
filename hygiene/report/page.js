"use strict";
// Sorts and filters the table of the page, without a server. Where no script runs, all rows are there as they are.
(() => {
  const table = document.querySelector("table");
  if (!table) return;
  const STEP = 100; // rows in the page at once: what a browser lays out without a pause
  const body = table.tBodies[0];
  const search = document.getElementById("search");
  const selects = Array.from(document.querySelectorAll("select[data-fact]"));
  const count = document.getElementById("count");
  const more = document.getElementById("more");

  // A row is a line of HTML that was made safe when the page was written; it is taken apart when it is asked for.
  const lines = (html) => html.split("\n").filter((line) => line.startsWith("<tr"));
  const rest = document.getElementById("rest");
  const total = Number(count.dataset.rows);
  let rows = null; // all of them, read at the first use: to open the page takes none
  const allRows = () =>
    (rows ??= [...lines(body.innerHTML), ...lines(rest ? rest.textContent : "")].map((html) => ({ html })));
  const NAMED = { lt: "<", gt: ">", quot: '"', "#x27": "'", amp: "&" };
  const plain = (html) => html.replace(/<[^>]*>/g, " ").replace(/&(lt|gt|quot|#x27|amp);/g, (_, name) => NAMED[name]);
  const textOf = (row) => (row.text ??= plain(row.html).toLowerCase());
  const keysOf = (row) =>
    (row.keys ??= Array.from(row.html.matchAll(/<td(?: data-key="([^"]*)")?>(.*?)<\/td>/g), ([, key, html]) =>
      plain(key ?? html)));
  const factsOf = (row) =>
    (row.facts ??= Object.fromEntries(
      Array.from(row.html.slice(0, row.html.indexOf(">")).matchAll(/ data-(\w+)="([^"]*)"/g), ([, name, value]) =>
        [name, plain(value)])));

  let found = null; // the rows that pass the filters; all, until one is set
  let shown = body.rows.length;
  const tell = () => {
    const matching = found ? found.length : total;
    count.textContent = `${matching.toLocaleString("en")} of ${total.toLocaleString("en")}`;
    more.hidden = shown >= matching;
  };
  const htmlOf = (some) => some.map((row) => row.html).join("\n");
  const show = (limit) => {
    found ??= allRows();
    shown = Math.min(limit, found.length);
    body.innerHTML = htmlOf(found.slice(0, shown));
    tell();
  };

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = selects.filter((select) => select.value);
    found = allRows().filter((row) =>
      chosen.every((select) => factsOf(row)[select.dataset.fact] === select.value) &&
      words.every((word) => textOf(row).includes(word)));
    show(STEP);
  };

  const sortBy = (header, index) => {
    const down = header.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    const numeric = header.dataset.numeric !== undefined;
    const order = (a, b) => (numeric ? a - b : a < b ? -1 : a > b ? 1 : 0);
    allRows().sort((a, b) => order(keysOf(a)[index], keysOf(b)[index]) * (down ? -1 : 1));
    filter();
  };

  search.addEventListener("input", filter);
  for (const select of selects) select.addEventListener("change", filter);
  more.addEventListener("click", () => {
    found ??= allRows();
    body.insertAdjacentHTML("beforeend", htmlOf(found.slice(shown, shown + STEP)));
    shown = Math.min(shown + STEP, found.length);
    tell();
  });
  window.addEventListener("beforeprint", () => show(Infinity));
  Array.from(table.tHead.rows[0].cells).forEach((header, index) => {
    header.querySelector("button").addEventListener("click", () => sortBy(header, index));
  });
  document.querySelector(".filters").hidden = false;
  tell();
})();
