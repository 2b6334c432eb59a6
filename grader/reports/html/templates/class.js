(() => {
  const table = document.getElementById("table");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  const words = rows.map((row) => row.textContent.toLowerCase());
  const order = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  const value = (row, column) => row.cells[column].textContent.trim();
  const number = (text) => { const found = parseFloat(text); return Number.isNaN(found) ? -Infinity : found; };

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.textContent = "";
    head.append(button);
    const numeric = head.classList.contains("n");
    button.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      const up = now ? now === "descending" : !numeric;
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const keys = new Map(rows.map((row) => [row, numeric ? number(value(row, column)) : value(row, column)]));
      const compare = numeric ? (a, b) => keys.get(a) - keys.get(b) || 0 : (a, b) => order.compare(keys.get(a), keys.get(b));
      body.append(...[...rows].sort((a, b) => (up ? compare(a, b) : compare(b, a))));
    });
  });

  const search = document.getElementById("search");
  const count = document.getElementById("count");
  const show = () => {
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, index) => {
      row.hidden = !wanted.every((word) => words[index].includes(word));
      shown += !row.hidden;
    });
    count.textContent = wanted.length ? `${shown} of ${rows.length} shown` : "";
  };
  search.addEventListener("input", show);
  document.getElementById("filters").hidden = false;
  show();
})();
