// Ctrl/Cmd+Enter sends from anywhere on the page; the Send button says so in its title.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const send = document.querySelector("#send");
  if (!send || send.disabled) return;
  event.preventDefault();
  // Gradio hears of typed text on input; give it the turn it needs before the click.
  setTimeout(() => send.click(), 60);
});

// Files are read in the browser: what goes to the server is their names and their bytes in base64, and never a path.
window.lfChoose = (accept, multiple = false) =>
  new Promise((resolve) => {
    const chooser = document.createElement("input");
    Object.assign(chooser, { type: "file", accept, multiple });
    chooser.addEventListener("change", () => resolve([...chooser.files]));
    chooser.addEventListener("cancel", () => resolve([]));
    chooser.click();
  });
window.lfRead = (file) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve({ name: file.name, data: reader.result.split(",", 2)[1] ?? "" });
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });

// While a lane runs the server is asked now and then: where it has gone, no figure moves, and the page says so.
setInterval(async () => {
  let notice = document.querySelector("#lf-lost");
  const runs = document.querySelector("#table .lf-running");
  if (!runs && !notice) return;
  try {
    await fetch("gradio_api/app_id", { cache: "no-store" });
    notice?.remove();
  } catch {
    if (notice) return;
    notice = document.createElement("div");
    notice.id = "lf-lost";
    notice.setAttribute("role", "alert");
    notice.textContent = "The server can't be reached: what is shown may be out of date. Start it again and reload.";
    document.body.append(notice);
  }
}, 3000);

// Lists and cards are plain HTML: their links open in the page itself, their buttons copy.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-comparison]");
  const go = document.querySelector("#history-go");
  if (link && go && !(event.ctrlKey || event.metaKey || event.shiftKey)) {
    event.preventDefault();
    window.lfComparison = link.dataset.comparison;
    go.click();
  }
  const copies = event.target.closest("button[data-copy]");
  if (!copies) return;
  const address = new URL(copies.dataset.copy, location.origin + location.pathname).href;
  try {
    await navigator.clipboard.writeText(address);
    copies.textContent = "Copied";
  } catch {
    // Pages that come over plain HTTP from another machine have no clipboard: people copy it themselves.
    window.prompt("The link:", address);
  }
});
