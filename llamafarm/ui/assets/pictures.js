// Reads pictures in the browser; answers Gradio's two inputs, the first {"files": [{name, data}]} or {"refused": why}.
async (_, prompt) => {
  const chooser = document.createElement("input");
  chooser.type = "file";
  chooser.multiple = true;
  chooser.accept = "image/png,image/jpeg,image/gif,image/webp";
  const files = await new Promise((resolve) => {
    chooser.addEventListener("change", () => resolve([...chooser.files]));
    chooser.addEventListener("cancel", () => resolve([]));
    chooser.click();
  });
  if (files.reduce((sum, file) => sum + file.size, 0) > 4 * 1024 * 1024) {
    return [{ refused: "The pictures are more than 4 MiB together." }, prompt];
  }
  const read = (file) =>
    new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve({ name: file.name, data: reader.result.slice(reader.result.indexOf(",") + 1) });
      reader.onerror = () => reject(reader.error);
      reader.readAsDataURL(file);
    });
  return [{ files: await Promise.all(files.map(read)) }, prompt];
}
