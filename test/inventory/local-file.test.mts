import { createHash } from 'node:crypto';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { toRunError } from '../../lib/errors.mts';
import { localFile } from '../../lib/inventory/local-file.mts';
import { withDirectory } from '../transport/support.mts';

describe('a file that is sent to hosts', () => {
  it('is measured once: a run sends what it compared', () =>
    withDirectory((directory) => {
      const path = join(directory, 'pack.zip');
      writeFileSync(path, 'content');
      const measured = { path, bytes: 7, sha256: createHash('sha256').update('content').digest('hex') };
      expect(localFile(path, 'x_file')).to.deep.equal(measured);
      appendFileSync(path, ' and more');
      expect(localFile(path, 'x_file')).to.deep.equal(measured);
    }));

  it('that is none is refused by the name of its variable', () =>
    withDirectory((directory) => {
      for (const path of [join(directory, 'none'), directory])
        try {
          localFile(path, 'x_file');
          expect.fail(`${path} was read`);
        } catch (thrown) {
          expect(toRunError(thrown)).to.deep.include({ kind: 'usage', hint: 'it is a path on the machine that runs this' });
          expect(toRunError(thrown).message).to.include(`x_file: ${path} is no file that can be read`);
        }
    }));
});
