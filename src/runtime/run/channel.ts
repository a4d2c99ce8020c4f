/** Events pushed from inside a task, read as an async stream that ends when the task does. */
export async function* stream<Event, Result>(
  task: (emit: (event: Event) => void) => Promise<Result>,
): AsyncGenerator<Event, Result> {
  const waiting: Event[] = [];
  let wake = () => {};
  let ended = false;
  const done = task((event) => {
    waiting.push(event);
    wake();
  }).finally(() => {
    ended = true;
    wake();
  });
  done.catch(() => {}); // the error is thrown to the reader below
  while (true) {
    while (waiting.length > 0) yield waiting.shift()!;
    if (ended) return await done;
    await new Promise<void>((resolve) => {
      wake = resolve;
      if (ended || waiting.length > 0) resolve();
    });
  }
}
