// Reads a file in the browser, so that nothing is stored on the server; answers Gradio's two inputs.
async (_, prompt) => {
  const chooser = document.createElement("input");
  chooser.type = "file";
  chooser.accept = ".yaml,.yml,.json,.toml";
  const file = await new Promise((resolve) => {
    chooser.addEventListener("change", () => resolve(chooser.files[0]));
    chooser.addEventListener("cancel", () => resolve(null));
    chooser.click();
  });
  if (!file) return [{}, prompt];
  if (file.size > 1024 * 1024) return [{ name: file.name, refused: "A project file is 1 MB at most." }, prompt];
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return [{ name: file.name, data: btoa(text) }, prompt];
}
