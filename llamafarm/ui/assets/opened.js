// What was opened stands below the list: once both are there, bring it into sight.
async () => {
  for (let tries = 0; tries < 60; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const opened = document.querySelector("#history-opened .lf-opened");
    if (!opened || !document.querySelector("#history-list .lf-sub, #history-list table")) continue;
    opened.scrollIntoView({ block: "start" });
    return;
  }
}
