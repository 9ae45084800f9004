"use strict";
// The table: sorted by its headings, filtered by words and by what is chosen; plots are told which rows are left.
(() => {
  const table = document.getElementById("runs");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  const filters = document.getElementById("filters");
  const count = document.getElementById("count");
  rows.forEach((row, place) => { row.dataset.place = String(place); });

  const compare = (kind) => (a, b) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    const numbers = kind === "number" || (Number.isFinite(Number(a)) && Number.isFinite(Number(b)));
    return numbers ? Number(a) - Number(b) : a.localeCompare(b, undefined, { numeric: true });
  };

  const sort = (head, column) => {
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach((other) => { if (other.dataset.key) other.setAttribute("aria-sort", "none"); });
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const order = compare(head.dataset.kind);
    rows.sort((a, b) => {
      const [x, y] = [a, b].map((row) => row.cells[column].dataset.value);
      const empty = (x === "") - (y === "");
      return empty || (down ? -order(x, y) : order(x, y)) || Number(a.dataset.place) - Number(b.dataset.place);
    });
    body.append(...rows);
  };

  const words = document.createElement("input");
  words.type = "search";
  words.id = "words";
  words.placeholder = "words that must be in a row";
  words.setAttribute("aria-label", "Filter by words");
  filters.append(words);
  const choices = [];
  heads.forEach((head, column) => {
    if (!head.dataset.key) return;
    head.querySelector("button").addEventListener("click", () => sort(head, column));
    if (head.dataset.kind !== "choice") return;
    const texts = new Map(rows.map((row) => [row.cells[column].dataset.value, row.cells[column].textContent]));
    const values = [...texts.keys()];
    if (values.length < 2 || values.length > 60) return;
    const label = document.createElement("label");
    const select = document.createElement("select");
    select.dataset.key = head.dataset.key;
    select.append(new Option("all", ""));
    values.sort(compare("choice")).forEach((value) => select.append(new Option(texts.get(value) || "–", "=" + value)));
    label.append(head.textContent + " ", select);
    filters.append(label);
    choices.push({ select, column });
  });

  const filter = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    rows.forEach((row) => {
      const text = row.textContent.toLowerCase();
      const fits = wanted.every((word) => text.includes(word)) && choices.every(({ select, column }) =>
        select.value === "" || "=" + row.cells[column].dataset.value === select.value);
      row.hidden = !fits;
      left += fits;
    });
    count.textContent = `${left} of ${rows.length} runs`;
    document.dispatchEvent(new CustomEvent("filtered", {
      detail: new Set(rows.filter((row) => !row.hidden).map((row) => Number(row.dataset.place))),
    }));
  };
  words.addEventListener("input", filter);
  choices.forEach(({ select }) => select.addEventListener("change", filter));
  window.addEventListener("load", filter);
})();
