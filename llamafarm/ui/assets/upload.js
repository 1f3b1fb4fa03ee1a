// A project's file; answers Gradio's two inputs.
async (_, prompt) => {
  const [file] = await lfChoose(".yaml,.yml,.json,.toml");
  if (!file) return [{}, prompt];
  if (file.size > 1024 * 1024) return [{ name: file.name, refused: "A project file is 1 MB at most." }, prompt];
  return [await lfRead(file), prompt];
}
