import { closeSync, fstatSync, openSync, readSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { Document } from './document.mts';
import type { Problems } from './problems.mts';
import { didYouMean } from './suggest.mts';

/** Larger files are refused before they are read: a hand-written inventory of 10 000 hosts fits. */
const MAX_BYTES = 1024 * 1024;

/** An inventory or variables file as text, shown as it was given and opened relative to `directory`; `undefined` with a problem when it cannot be had. */
export function readDocument(file: string, base: string, directory: string, problems: Problems): Document | undefined {
  const bytes = readSmall(file, directory, problems);
  if (bytes === undefined) return undefined;
  try {
    return new Document(file, path.resolve(directory, base), new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    problems.file(file, utf16 ? 'is UTF-16 text' : 'is not UTF-8 text', 'save it as UTF-8');
    return undefined;
  }
}

function readSmall(file: string, directory: string, problems: Problems): Uint8Array | undefined {
  const absolute = path.resolve(directory, file);
  try {
    const found = statSync(absolute);
    if (found.isDirectory()) return refuse(file, problems, 'is a directory', directoryHint(file, absolute));
    if (!found.isFile()) return refuse(file, problems, 'is not a regular file', 'save the inventory to a file first');
    const descriptor = openSync(absolute, 'r');
    try {
      const size = fstatSync(descriptor).size;
      if (size > MAX_BYTES)
        return refuse(
          file,
          problems,
          `is ${megabytes(size)}, more than the ${megabytes(MAX_BYTES)} an inventory may have`,
          'split it into several files and give -i for each',
        );
      const bytes = Buffer.alloc(size);
      return bytes.subarray(0, readSync(descriptor, bytes, 0, size, 0));
    } finally {
      closeSync(descriptor);
    }
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown);
    if (code === 'ENOENT' || code === 'ENOTDIR') return refuse(file, problems, 'no such file', missingHint(file, absolute));
    if (code === 'EACCES' || code === 'EPERM') return refuse(file, problems, 'cannot be read: permission denied', 'check its owner and mode');
    return refuse(file, problems, `cannot be read: ${code}`);
  }
}

function refuse(file: string, problems: Problems, message: string, hint?: string): Uint8Array | undefined {
  problems.file(file, message, hint);
  return undefined;
}

const megabytes = (bytes: number): string => `${(bytes / MAX_BYTES).toFixed(bytes % MAX_BYTES === 0 ? 0 : 1)} MiB`;

const yamlFilesIn = (directory: string): readonly string[] => {
  try {
    return readdirSync(directory).filter((name) => /\.ya?ml$/.test(name));
  } catch {
    return [];
  }
};

function missingHint(file: string, absolute: string): string {
  if (file.includes(',')) return 'a list of hosts is no inventory here: write a YAML file';
  return didYouMean(path.basename(file), yamlFilesIn(path.dirname(absolute))) ?? 'start from a copy of inventory/lab.yaml';
}

function directoryHint(directory: string, absolute: string): string {
  const names = yamlFilesIn(absolute).slice(0, 5);
  return names.length === 0 ? 'name an inventory file' : `name the files: ${names.map((name) => `-i ${path.join(directory, name)}`).join(' ')}`;
}

/**
 * The variable files of a group or host as Ansible finds them: `NAME` (a directory read in the order of names, or a file), else `NAME.yml`,
 * else `NAME.yaml`, else `NAME.json`, in `group_vars` or `host_vars` beside the inventory.
 */
export function variableFiles(directory: string, name: string): readonly string[] {
  for (const extension of ['', '.yml', '.yaml', '.json']) {
    const candidate = path.join(directory, name + extension);
    const found = statSync(candidate, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) return filesBelow(candidate);
    if (found !== undefined) return [candidate];
  }
  return [];
}

function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory)
    .sort()
    .filter((name) => !name.startsWith('.') && !name.endsWith('~'))
    .flatMap((name) => {
      const candidate = path.join(directory, name);
      const extension = path.extname(name);
      if (statSync(candidate, { throwIfNoEntry: false })?.isDirectory() === true) return extension === '' ? filesBelow(candidate) : [];
      return ['', '.yml', '.yaml', '.json'].includes(extension) ? [candidate] : [];
    });
}

/** Names of groups or hosts that a `group_vars` or `host_vars` directory has files for. */
export function variableFileNames(directory: string): readonly string[] {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(directory)
    .filter((name) => !name.startsWith('.') && !name.endsWith('~'))
    .map((name) => name.replace(/\.(?:ya?ml|json)$/, ''));
}
