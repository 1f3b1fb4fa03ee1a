// Reads a file of prompts in the browser; what goes to the server is data and never a path.
async () => {
  const chooser = document.createElement("input");
  chooser.type = "file";
  chooser.accept = ".csv,.tsv,.jsonl,.ndjson";
  const file = await new Promise((resolve) => {
    chooser.addEventListener("change", () => resolve(chooser.files[0]));
    chooser.addEventListener("cancel", () => resolve(null));
    chooser.click();
  });
  if (!file) return [{}];
  if (file.size > 4 * 1024 * 1024) return [{ refused: "The page takes files up to 4 MiB: use lf batch for larger ones." }];
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return [{ name: file.name, data: btoa(text) }];
}
