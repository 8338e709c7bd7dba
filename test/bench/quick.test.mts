import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';

describe('the cost of a run in round trips, bytes and logins', function () {
  this.timeout(180_000);
  it('is what it was', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'quick.mts')], { encoding: 'utf8' });
    expect(stdout, stderr).to.include('connections dropped by sshd');
    expect(status, stdout + stderr).to.equal(0);
  });
});
