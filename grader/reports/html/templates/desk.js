(() => {
  const rows = [...document.querySelectorAll(".row .open")];
  const criteria = [...document.querySelectorAll(".criterion")];
  const heads = criteria.map((each) => each.querySelector("summary"));
  const typing = (element) => element.matches("input, textarea, select") || element.isContentEditable;
  const shown = (element) => element.checkVisibility();

  const move = (elements, step) => {
    const open = elements.filter(shown);
    const at = open.findIndex((each) => each === document.activeElement || each.parentElement.contains(document.activeElement));
    const next = open[at < 0 ? (step > 0 ? 0 : open.length - 1) : Math.min(Math.max(at + step, 0), open.length - 1)];
    if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); }
  };
  const form = () => {
    const here = criteria.find((each) => each.contains(document.activeElement));
    if (here) here.open = true;
    return (here || document).querySelector("form.decide");
  };
  const give = (points) => {
    const found = form();
    if (!found) return;
    const field = found.elements.points;
    if (points !== null) field.value = points === "full" ? found.dataset.most : points;
    const target = points === null ? field : found.elements.why;
    target.focus();
    if (points === null) target.select();
  };
  const follow = (id) => { const link = document.getElementById(id); if (link) link.click(); };
  const actions = {
    j: () => move(rows.length ? rows : heads, 1),
    k: () => move(rows.length ? rows : heads, -1),
    n: () => follow("next"),
    p: () => follow("previous"),
    d: () => { const look = document.getElementById("look"); if (look) look.requestSubmit(); },
    l: () => follow("list"),
    e: () => give(null),
    f: () => give("full"),
    z: () => give("0"),
    h: () => document.getElementById("names").requestSubmit(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing(document.activeElement)) {
      if (event.key !== "Escape") return;
      const here = document.activeElement.closest(".criterion");
      if (here) here.querySelector("summary").focus(); else document.activeElement.blur();
      return;
    }
    const action = actions[event.key];
    if (action) { event.preventDefault(); action(); }
  });

  for (const each of document.querySelectorAll("form")) each.addEventListener("submit", (event) => {
    if (each.dataset.sent) event.preventDefault(); else each.dataset.sent = "yes"; // a second click sends nothing
  });
  addEventListener("pageshow", () => { for (const each of document.querySelectorAll("form")) delete each.dataset.sent; });

  // Where the person was: at a form that was not taken, or at the criterion that was just decided.
  const problem = document.querySelector("form .problem");
  const at = (new URLSearchParams(location.search).get("at") || "").replaceAll(".", "-");
  const here = problem ? problem.closest("form").elements.points : document.querySelector(`#${CSS.escape(at || "-")} > summary`);
  if (here) here.focus();
})();
