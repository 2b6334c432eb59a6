"use strict";
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const dark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const remember = (theme) => { try { localStorage.setItem("theme", theme); } catch { /* a file may have no storage */ } };
  const show = (theme) => {
    if (theme) root.dataset.theme = theme;
    button.textContent = dark() ? "Light" : "Dark";
    button.setAttribute("aria-label", dark() ? "Use light colours" : "Use dark colours");
  };
  let kept = null;
  try { kept = localStorage.getItem("theme"); } catch { /* as above */ }
  show(kept === "dark" || kept === "light" ? kept : "");
  button.hidden = false;
  button.addEventListener("click", () => { const theme = dark() ? "light" : "dark"; show(theme); remember(theme); });

  const open = (id) => {
    const target = id && document.getElementById(id);
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    return target;
  };
  const follow = () => { const target = open(decodeURIComponent(location.hash.slice(1))); if (target) target.scrollIntoView(); };
  addEventListener("hashchange", follow);
  follow();

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const each of closed) each.open = true;
  });
  addEventListener("afterprint", () => { for (const each of closed) each.open = false; });
})();
