import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { checkInventory, loadInventory } from '../../lib/inventory/load.mts';
import type { InventoryOptions } from '../../lib/inventory/load.mts';
import type { Inventory } from '../../lib/inventory/model.mts';
import type { Problem } from '../../lib/inventory/problems.mts';
import { contracts } from './contracts.mts';

/** A directory of inventory files that is gone after `using`; `inventory.yaml` is the file that is loaded unless others are named. */
export class InventoryFiles implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'inventory-'));
  readonly #options: Partial<InventoryOptions>;

  constructor(files: Readonly<Record<string, string>>, options: Partial<InventoryOptions> = {}) {
    this.#options = options;
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }
  write(name: string, text: string | Uint8Array, mode = 0o644): string {
    const path = join(this.directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode });
    return path;
  }
  options(more: Partial<InventoryOptions> = {}): InventoryOptions {
    return { files: ['inventory.yaml'], directory: this.directory, contracts, environment: { USER: 'me', HOME: '/home/me' }, ...this.#options, ...more };
  }
  load(more: Partial<InventoryOptions> = {}): Inventory {
    return loadInventory(this.options(more));
  }
  problems(more: Partial<InventoryOptions> = {}): readonly Problem[] {
    return checkInventory(this.options(more)).problems;
  }
  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export const inventoryOf = (text: string, options: Partial<InventoryOptions> = {}): Inventory => {
  using files = new InventoryFiles({ 'inventory.yaml': text }, options);
  return files.load();
};
