// Pictures; answers Gradio's two inputs, the first {"files": [{name, data}]} or {"refused": why}.
async (_, prompt) => {
  const files = await lfChoose("image/png,image/jpeg,image/gif,image/webp", true);
  if (files.reduce((sum, file) => sum + file.size, 0) > 4 * 1024 * 1024) {
    return [{ refused: "The pictures are more than 4 MiB together." }, prompt];
  }
  return [{ files: await Promise.all(files.map(lfRead)) }, prompt];
}
