(text) => {
  if (!text) return;
  const ready = text.startsWith("data:");
  const link = document.createElement("a");
  link.href = ready ? text : URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = ready ? "comparison.parquet" : "comparison.csv";
  link.click();
  if (!ready) URL.revokeObjectURL(link.href);
}
