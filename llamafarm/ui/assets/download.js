(text) => {
  if (!text) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = "comparison.csv";
  link.click();
  URL.revokeObjectURL(link.href);
}
