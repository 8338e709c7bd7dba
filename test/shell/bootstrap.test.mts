import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { expect } from 'chai';
import { compileBootstrap, parseFacts } from '../../lib/shell/bootstrap.mts';
import { FrameReader } from '../../lib/shell/frame-reader.mts';
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
            compileBootstrap({ nonce, probe: '', holder: holder(), shell: 'true', silenceSeconds: 1 }),
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

  describe(`the time of a host under ${shell.name}`, () => {
    const from = Date.now();
    const reader = new FrameReader(nonce);
    reader.push(runSh(shell, compileBootstrap({ nonce, probe: '', shell: 'true' })).stdout);
    const to = Date.now();

    it('is told by the first command', () => {
      // The kernel keeps the time of its boot in whole seconds.
      expect(parseFacts(reader.head, { sent: 0, heard: 0 }).facts.aheadMs).to.be.within(from - 1100, to + 100);
    });
    it('is ahead or behind only as far as the answer cannot have been under way', () => {
      const hour = 3_600_000;
      const ahead = (sent: number, heard: number): number => Math.round(parseFacts(reader.head, { sent, heard }).facts.aheadMs / 60_000);
      expect(ahead(from - hour, to + hour)).to.equal(0);
      expect(ahead(from - 2 * hour, to - hour)).to.equal(60);
      expect(ahead(from + hour, to + 2 * hour)).to.equal(-60);
    });
    it('is not guessed where the kernel does not say it', () => {
      const said = reader.head.replace(/^.*btime.*$/m, '');
      expect(parseFacts(said, { sent: 0, heard: 0 }).facts.aheadMs).to.equal(0);
    });
  });
}
