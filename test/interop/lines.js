// The runner's side of every program here: a JSON value a line, in by stdin and out by stdout.
import { createInterface } from 'node:readline';

export const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

// What packages print themselves must not look like an answer.
console.log = console.info = console.warn = console.error;

// serve answers each line by what handle returns, in order.
export async function serve(handle) {
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      say({ result: (await handle(JSON.parse(line))) ?? null });
    } catch (error) {
      say({ error: String(error?.message ?? error), code: error?.code ?? error?.errcode ?? null });
    }
  }
}
