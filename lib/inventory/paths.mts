import { homedir } from 'node:os';
import path from 'node:path';

export function expandHome(file: string, environment: Readonly<Record<string, string | undefined>>): string {
  return file === '~' || file.startsWith('~/') ? path.join(environment['HOME'] ?? homedir(), file.slice(1)) : file;
}
