// Ctrl/Cmd+Enter sends from anywhere on the page; the Send button says so in its title.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const send = document.querySelector("#send");
  if (!send || send.disabled) return;
  event.preventDefault();
  // Gradio hears of typed text on input; give it the turn it needs before the click.
  setTimeout(() => send.click(), 60);
});
