/**
 * The way into a playbook. It imports nothing of ours statically: V8 keeps compiled code only for what is loaded after the cache is on,
 * and taking off the types of some hundred modules costs more than the rest of the start.
 */
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Playbook } from './plan/model.mts';
import type { RunOptions } from './cli/main.mts';

/** Runs the playbook that `define` gives and sets the process's exit code; everything a playbook file does. */
export async function play(define: () => Promise<Playbook>, options: RunOptions = {}): Promise<void> {
  enableCompileCache();
  const { run } = await import('./cli/main.mts');
  await run(await define(), options);
}

/** Beside the packages, where only who may change the program can write: a shared temporary directory could be prepared by anyone. */
export function enableCompileCache(): void {
  module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/compile', import.meta.url)));
}
