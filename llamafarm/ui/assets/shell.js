// The frame: pages by their addresses, what folds out, and the keys.
(() => {
  const rail = () => [...document.querySelectorAll(".lf-rail a[data-page]")];
  const tab = (page) => document.querySelector(`#pages > .tab-wrapper #${page}-button`);
  const shown = () => rail().find((link) => tab(link.dataset.page)?.getAttribute("aria-selected") === "true");
  const last = () => location.pathname.split("/").pop();
  const named = () => rail().find((link) => link.dataset.page === last()) ?? rail()[0];
  let settled = false;

  function follow() {
    const now = shown();
    if (!now) return;
    for (const link of rail()) {
      if (link === now) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    document.title = `${now.textContent.trim().slice(1)} · LlamaFarm Playground`;
    if (!settled || now === named()) return;
    const search = now.dataset.page === "history" && !last() ? location.search : "";
    history.pushState(null, "", new URL(now.getAttribute("href") + search, document.baseURI));
  }

  // Gradio's tabs come some time after this script, and its listeners know the project once Send can be pressed: then
  // a link to a page selects its tab.
  const waiting = setInterval(() => {
    const pages = document.querySelector("#pages");
    if (!pages || !rail().length || !tab(rail()[0].dataset.page)) return;
    const leads = named() !== rail()[0];
    pages.toggleAttribute("data-waits", leads);
    if (leads && !document.querySelector("#send:not(:disabled)")) return;
    clearInterval(waiting);
    new MutationObserver(follow).observe(pages.querySelector(".tab-wrapper"), {
      subtree: true,
      attributeFilter: ["aria-selected"],
    });
    if (leads) tab(named().dataset.page).click();
    setTimeout(() => {
      pages.removeAttribute("data-waits");
      settled = true;
      follow();
    }, 0);
  }, 30);
  addEventListener("popstate", () => tab(named().dataset.page)?.click());

  const opened = (part) => document.getElementById(part)?.hasAttribute("data-open");
  function toggle(part, open = !opened(part)) {
    document.getElementById(part).toggleAttribute("data-open", open);
    for (const button of document.querySelectorAll(`[data-toggle="${part}"][aria-controls]`)) {
      button.setAttribute("aria-expanded", String(open));
    }
    const first = open ? `#${part} :is(button, input, textarea)` : `[data-toggle="${part}"][aria-controls]`;
    if (part === "drawer") document.querySelector(first)?.focus();
  }

  function fill(text) {
    const box = document.querySelector("#prompt textarea");
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(box, text);
    box.dispatchEvent(new Event("input", { bubbles: true }));
    box.focus();
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest(".lf-rail a[data-page]");
    if (link && !(event.ctrlKey || event.metaKey || event.shiftKey) && tab(link.dataset.page)) {
      event.preventDefault();
      tab(link.dataset.page).click();
    }
    const toggles = event.target.closest("[data-toggle]");
    if (toggles) toggle(toggles.dataset.toggle);
    else if (opened("share") && !event.target.closest("#share")) toggle("share", false);
    if (event.target.closest("#discover-compare")) toggle("drawer", false);
    const starter = event.target.closest("[data-prompt]");
    if (starter) fill(starter.dataset.prompt);
    if (event.target.closest("[data-retry=failed]")) {
      const failed = [...document.querySelectorAll("#cards .lf-lane:has(.lf-lane-head .lf-failed) .lf-retry")];
      failed.filter((button) => button.offsetParent).forEach((button) => button.click());
    }
  });

  // Escape closes what lies over the page; where nothing does, it stops what runs.
  function escape() {
    const large = document.querySelector(".lf-lane[data-large]");
    if (large) return large.removeAttribute("data-large");
    const open = ["drawer", "share", "options"].find(opened);
    if (open) return toggle(open, false);
    const stop = document.querySelector("#stop");
    if (stop && !stop.disabled) stop.click();
  }

  function step(event) {
    const list = event.target.closest('[role="tab"]')?.closest('[role="tablist"]');
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!list || !way) return;
    const tabs = [...list.querySelectorAll('[role="tab"]')].filter((each) => each.offsetParent && !each.disabled);
    const next = tabs[(tabs.indexOf(event.target) + way + tabs.length) % tabs.length];
    event.preventDefault();
    next.focus();
    next.click();
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") escape();
    else if (event.target.closest) step(event);
  });
})();
