// Cards: an answer follows its stream unless its reader scrolled up; copy; open large.
(() => {
  const NEAR = 24;
  const areas = () => [...document.querySelectorAll("#cards .lf-scrolls")].filter((area) => area.offsetParent);
  const far = (area) => area.scrollHeight - area.scrollTop - area.clientHeight > NEAR;

  document.addEventListener(
    "scroll",
    (event) => {
      const area = event.target;
      if (area.classList?.contains("lf-scrolls")) area.toggleAttribute("data-away", far(area));
    },
    true,
  );
  setInterval(() => {
    if (!document.querySelector("#table .lf-running")) return;
    for (const area of areas()) {
      if (area.scrollHeight <= area.clientHeight) area.removeAttribute("data-away");
      else if (!area.hasAttribute("data-away") && far(area)) area.scrollTop = area.scrollHeight;
    }
  }, 100);

  const tools = {
    newest(lane) {
      const area = lane.querySelector(".lf-scrolls");
      area.scrollTop = area.scrollHeight;
    },
    open: (lane) => lane.toggleAttribute("data-large"),
    async copy(lane, button) {
      const text = lane.querySelector(".prose.lf-answer")?.innerText ?? "";
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
        setTimeout(() => (button.textContent = "Copy"), 1500);
      } catch {
        // Pages that come over plain HTTP from another machine have no clipboard: people copy it themselves.
        window.prompt("The answer:", text);
      }
    },
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-lane]");
    const lane = button?.closest(".lf-lane");
    if (lane) tools[button.dataset.lane](lane, button);
  });
})();
