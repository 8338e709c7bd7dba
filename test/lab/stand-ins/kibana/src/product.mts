/** What the package.json of the archive says of itself. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { at, number, string } from './json.mts';

export const HOME = resolve(import.meta.dirname, '..');
const about: unknown = JSON.parse(readFileSync(join(HOME, 'package.json'), 'utf8'));

export const VERSION = string(at(about, 'version')) ?? '';
export const BUILD_NUMBER = number(at(about, 'build', 'number')) ?? 0;
export const BUILD_SHA = string(at(about, 'build', 'sha')) ?? '';
