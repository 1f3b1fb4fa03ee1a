// On a phone the prompt comes first: the project's panel starts folded.
() => {
  if (window.innerWidth > 768) return;
  const label = document.querySelector("#project > button.open, #project > button");
  if (label && label.classList.contains("open")) label.click();
}
