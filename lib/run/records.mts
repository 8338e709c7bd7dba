import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { fail } from '../errors.mts';

const recordSchema = z.object({
  schema: z.literal('1'),
  run: z.string(),
  playbook: z.string(),
  inventory: z.array(z.string()),
  exitCode: z.number(),
  /** Hosts that failed, were unreachable, or were never reached. */
  unfinished: z.array(z.string()),
});

export type RunRecord = z.output<typeof recordSchema>;

const KEPT = 50;

/** What the last runs left unfinished, for `--retry-failed`: one small file a run in `directory`, newest names last. */
export class RunRecords {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  write(record: RunRecord): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const file = join(this.#directory, `${record.run}.json`);
    writeFileSync(`${file}.tmp`, `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(`${file}.tmp`, file);
    for (const old of this.#names().slice(0, -KEPT)) rmSync(join(this.#directory, old), { force: true });
  }

  /** The newest record of a playbook with these inventory files. */
  last(playbook: string, inventory: readonly string[]): RunRecord | undefined {
    for (const name of this.#names().reverse()) {
      const record = this.#read(name);
      if (record?.playbook === playbook && record.inventory.join('\0') === inventory.join('\0')) return record;
    }
    return undefined;
  }

  #names(): string[] {
    try {
      return readdirSync(this.#directory)
        .filter((name) => name.endsWith('.json'))
        .sort();
    } catch {
      return [];
    }
  }

  /** A torn or foreign file is no record; one of a newer program is refused. */
  #read(name: string): RunRecord | undefined {
    let json: unknown;
    try {
      json = JSON.parse(readFileSync(join(this.#directory, name), 'utf8'));
    } catch {
      return undefined;
    }
    const parsed = recordSchema.safeParse(json);
    if (parsed.success) return parsed.data;
    const schema = z.object({ schema: z.string() }).safeParse(json);
    if (schema.success && schema.data.schema !== '1') {
      fail('usage', `${join(this.#directory, name)} was written by a newer version of this program (schema ${schema.data.schema})`, {
        hint: 'use that version, or remove the file',
      });
    }
    return undefined;
  }
}
