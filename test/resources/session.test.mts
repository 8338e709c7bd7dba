import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Answer, Change, Resource } from '../../lib/plan/model.mts';
import { archive, block, daemon, directory, file } from '../../lib/resources/index.mts';
import { compileSteps } from '../../lib/shell/steps.mts';
import { openTransport } from '../../lib/transport/index.mts';
import type { Frame } from '../../lib/transport/session.mts';
import { holder, limits, makeHost, opening, SHELLS } from '../transport/support.mts';
import { me } from '../shell/hostlike.mts';

const differences = (resource: Resource, frame: Frame): Answer<readonly Change[]> => {
  if (frame.kind !== 'complete') throw new Error(frame.error.message);
  return resource.differs.read((ask) => frame.answers.get(ask) ?? { kind: 'unavailable', reason: 'not asked' });
};

/** The same resources through real frames: watchdogs, payloads and progress included. */
for (const shell of SHELLS) {
  describe(`resources in a session of ${shell}`, function () {
    this.timeout(60_000);
    it('settle in two frames', async () => {
      const base = mkdtempSync(join(tmpdir(), 'kem-session-'));
      await using transport = openTransport({ shell, lockFile: `${base}/lock` });
      await using session = await transport.write(makeHost({ kind: 'local' }), { ...opening, holder: holder() });
      const user = execFileSync('id', ['-un'], { encoding: 'utf8' }).trim();
      mkdirSync(`${base}/src/top`, { recursive: true });
      writeFileSync(`${base}/src/top/x`, 'x');
      execFileSync('tar', ['-czf', `${base}/a.tgz`, '-C', `${base}/src`, 'top']);
      const packed = readFileSync(`${base}/a.tgz`);
      const wanted = [
        directory(`${base}/etc`, me),
        file(`${base}/etc/it's`, { content: 'a=1\n', ...me }),
        file(`${base}/etc/big`, { content: `${'line of text\n'.repeat(10_000)}end`, ...me }),
        block(`${base}/etc/it's`, { marker: 'm', content: 'b' }),
        archive({
          name: 'p',
          version: '1',
          into: `${base}/opt`,
          owner: user,
          source: { from: 'controller', localPath: `${base}/a.tgz`, sha256: createHash('sha256').update(packed).digest('hex'), size: packed.length },
        }),
        daemon('sleeper', {
          user,
          start: ['sleep', '300'],
          pidFile: `${base}/pid`,
          inputs: [{ path: `${base}/etc/big`, content: `${'line of text\n'.repeat(10_000)}end` }],
        }),
      ];
      try {
        for (const resource of wanted) {
          const before = differences(resource, await session.ask(resource.differs.asks, limits()));
          if (before.kind === 'unavailable') throw new Error(before.reason);
          expect(before.value, resource.id).to.not.deep.equal([]);
          const applied = await session.apply(compileSteps(resource, before.value), resource.differs.asks, limits());
          expect(applied.steps.map(({ end, tail }) => ({ end, tail })).at(-1), resource.id).to.deep.equal({ end: { kind: 'exited', code: 0 }, tail: '' });
          expect(differences(resource, applied), resource.id).to.deep.equal({ kind: 'known', value: [] });
        }
        expect(readdirSync(`${base}/etc`)).to.have.members(["it's", 'big']);
      } finally {
        if (existsSync(`${base}/pid`)) process.kill(Number(readFileSync(`${base}/pid`, 'utf8')));
        rmSync(base, { recursive: true, force: true });
      }
    });
  });
}
