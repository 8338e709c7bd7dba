/** docs/architecture.md names every folder, and only what is there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../cli/program.mts';

const PAGE = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
const paths = [...PAGE.matchAll(/`((?:lib|roles|playbooks|inventory|test|scripts|docs|types)\/[\w./<>-]*)`/g)].map(([, path = '']) => path);

describe('docs/architecture.md', () => {
  it('names every folder of the program', () => {
    const folders = readdirSync(join(ROOT, 'lib'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.length).to.be.greaterThan(5);
    for (const { name } of folders) expect(paths, name).to.include(`lib/${name}/`);
    for (const name of ['playbooks', 'roles', 'inventory', 'lib', 'test', 'scripts']) expect(PAGE, name).to.include(`\`${name}/`);
  });

  it('names no file or folder that is not there', () => {
    for (const path of paths.filter((each) => !each.includes('<'))) expect(existsSync(join(ROOT, path)), path).to.equal(true);
  });

  it('names every import rule', () => {
    const { forbidden } = createRequire(import.meta.url)(join(ROOT, '.dependency-cruiser.cjs')) as { forbidden: readonly { name: string }[] };
    for (const { name } of forbidden) expect(PAGE, name).to.include(`\`${name}\``);
  });
});
