import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { expect } from 'chai';
import { compileBootstrap, parseFacts } from '../../lib/shell/bootstrap.mts';
import { FrameReader } from '../../lib/shell/frame.mts';
import { holder } from '../transport/support.mts';
import { inTemporary, runSh, shells } from './hostlike.mts';

const nonce = 'abcdef0123456789abcdef01';

for (const shell of shells) {
  describe(`the place of a host's lock under ${shell.name}`, () => {
    it('is one that no other user can write to, when there is one', () => {
      inTemporary((base) => {
        const places = ['/run', '/run/lock', '/var/lock', '/tmp'];
        for (const place of places) mkdirSync(`${base}${place}`, { recursive: true });
        chmodSync(base, 0o755);
        const script = places
          .slice()
          .reverse()
          .reduce(
            (text, place) => text.replaceAll(new RegExp(`(?<=[ =])${place}(?=[ ;])`, 'g'), `${base}${place}`),
            compileBootstrap({ nonce, probe: '', holder: holder(), shell: 'true' }),
          );
        const taken = (): string | undefined => {
          const reader = new FrameReader(nonce);
          reader.push(runSh(shell, script).stdout);
          expect(parseFacts(reader.head).lock).to.deep.equal({ kind: 'taken' });
          return places.find((place) => existsSync(`${base}${place}/kafka-elastic-monitoring.lock`));
        };
        expect(taken()).to.equal('/run');
        rmSync(`${base}/run`, { recursive: true });
        expect(taken()).to.equal('/var/lock');
        rmSync(`${base}/var`, { recursive: true });
        expect(taken()).to.equal('/tmp');
      });
    });
  });
}
