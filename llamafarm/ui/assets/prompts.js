// A file of prompts.
async () => {
  const [file] = await lfChoose(".txt,.text,.csv,.tsv,.tab,.psv,.jsonl,.ndjson,.json,.yaml,.yml");
  if (!file) return [{}];
  if (file.size > 4 * 1024 * 1024) return [{ refused: "The page takes files up to 4 MiB: use lf batch for larger ones." }];
  return [await lfRead(file)];
}
