// Gradio ends a tab's stream with its last listener. One that starts at that very moment is never heard: its answer
// waits at the server, and the page does not ask for it. So the stream is taken up again while an answer is awaited;
// and once the page has been told of its end, no listener is told that it has begun before the page has let go of it.
(() => {
  const plain = window.fetch.bind(window);
  const awaited = new Set();
  const early = new Set(); // ended before their join was answered
  const settling = new Set();
  let ending = Promise.resolve();

  const path = (asked) => new URL(asked.url ?? asked, document.baseURI).pathname;

  async function join(asked, options) {
    const joining = plain(asked, options).then(async (answer) => {
      if (!answer.ok) return answer;
      const { event_id } = await answer.clone().json();
      if (!early.delete(event_id)) awaited.add(event_id);
      await ending;
      return answer;
    });
    const settled = joining.catch(() => {}).then(() => settling.delete(settled));
    settling.add(settled);
    return joining;
  }

  // The page lets go of a stream by its signal; it is not waited for longer than a page that stands still takes.
  const letGo = (signal) =>
    new Promise((resolve) => {
      signal?.addEventListener("abort", resolve, { once: true });
      setTimeout(resolve, 500);
    });

  // Whether the stream shall go on though the server closes it.
  async function goesOn(message, signal) {
    if (message.msg === "process_completed" && !awaited.delete(message.event_id)) early.add(message.event_id);
    if (message.msg !== "close_stream") return false;
    await Promise.all(settling);
    if (awaited.size > 0) return true;
    ending = letGo(signal);
    return false;
  }

  const ends = (block) => /"msg":"(process_completed|close_stream)"/.test(block.slice(0, 80));

  const readerOf = (answer) => answer.body.pipeThrough(new TextDecoderStream()).getReader();

  async function* blocks(asked, options, source) {
    let held = "";
    for (;;) {
      const { value, done } = await source.reader.read();
      if (done) return yield held;
      const parts = (held + value).split("\n\n");
      held = parts.pop();
      for (const block of parts) {
        if (ends(block) && (await goesOn(JSON.parse(block.slice(block.indexOf(":") + 1)), asked.signal))) {
          const next = await plain(asked.url ?? asked, { ...options, signal: asked.signal, headers: asked.headers });
          if (!next.ok) return yield block + "\n\n";
          source.reader = readerOf(next);
          held = "";
          break;
        }
        yield block + "\n\n";
      }
    }
  }

  async function listen(asked, options) {
    const first = await plain(asked, options);
    if (!first.ok || !first.body) return first;
    const source = { reader: readerOf(first) };
    const told = blocks(asked, options, source);
    const body = new ReadableStream({
      async pull(controller) {
        const { value, done } = await told.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      // What is not read to its end would keep its connection, of which a browser has six.
      cancel: (why) => source.reader.cancel(why),
    });
    return new Response(body.pipeThrough(new TextEncoderStream()), { status: first.status, headers: first.headers });
  }

  window.fetch = (asked, options) => {
    const where = path(asked);
    if (where.endsWith("/queue/join")) return join(asked, options);
    return where.endsWith("/queue/data") ? listen(asked, options) : plain(asked, options);
  };
})();
