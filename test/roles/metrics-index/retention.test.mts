/** The script itself under each shell, against a server that answers as Elasticsearch 7.10.2 does, or does not. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { inTemporary, shells, withServer, type Shell } from '../../shell/hostlike.mts';

const SCRIPT = join(import.meta.dirname, '../../../roles/metrics-index/bin/metrics-retention.sh');
/** 2026-11-24T12:00:00Z */
const NOON = 1_795_521_600;

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly deleted: readonly string[];
  readonly state: string | undefined;
}

interface Options {
  readonly days?: number;
  readonly bytes?: number;
  readonly dry?: true;
  /** A node before the one that answers. */
  readonly before?: string;
  readonly now?: number;
}

/** `body`: what the list of indices is answered with; `status` of it, and of a deletion. */
async function retention(shell: Shell, body: string, options: Options = {}, status = 200, deletion = 200): Promise<Ran> {
  let ran: Ran | undefined;
  const log = `/tmp/kem-retention-${String(process.pid)}-${String(Math.random()).slice(2)}`;
  writeFileSync(log, '');
  await withServer(
    `if (request.method === 'DELETE') { require('node:fs').appendFileSync(${JSON.stringify(log)}, request.url + '\\n'); response.writeHead(${String(deletion)}); response.end('{}'); }
     else { response.writeHead(request.url.startsWith('/_cat/indices/kafka_mon-*?') ? ${String(status)} : 500); response.end(${JSON.stringify(body)}); }`,
    (url) => {
      ran = inTemporary((base) => {
        mkdirSync(`${base}/bin`);
        const now = options.now ?? NOON;
        writeFileSync(`${base}/bin/date`, `#!/bin/sh\nexec /bin/date -d @${String(now)} "$@"\n`, { mode: 0o755 });
        const words = [
          'kafka_mon',
          String(options.days ?? 0),
          String(options.bytes ?? 0),
          `${base}/state`,
          ...(options.before === undefined ? [] : [options.before]),
          url,
        ];
        const [command, ...rest] = shell.argv;
        const {
          status: code,
          stdout,
          stderr,
        } = spawnSync(command, [...rest, SCRIPT, ...(options.dry === true ? ['--dry-run'] : []), ...words], {
          encoding: 'utf8',
          env: { ...process.env, PATH: `${base}/bin:${process.env['PATH'] ?? ''}` },
        });
        const state = existsSync(`${base}/state`) ? readFileSync(`${base}/state`, 'utf8') : undefined;
        return {
          code: code ?? -1,
          out: stdout,
          err: stderr,
          deleted: readFileSync(log, 'utf8')
            .split('\n')
            .filter((line) => line !== ''),
          state,
        };
      });
    },
  );
  if (ran === undefined) throw new Error('it did not run');
  return ran;
}

const lines = (...list: readonly string[]): string => list.map((line) => `${line}\n`).join('');
const TODAY = 'kafka_mon-2026.11.24 500';

describe('retention of metrics', function () {
  this.timeout(60_000);

  it('passes shellcheck', () => {
    const ran = spawnSync('shellcheck', ['--shell=sh', SCRIPT], { encoding: 'utf8' });
    expect([ran.error, ran.stdout]).to.deep.equal([undefined, '']);
  });

  for (const shell of shells) {
    describe(`under ${shell.name}`, () => {
      it('deletes what is older than the days, oldest first, and says so', async () => {
        const ran = await retention(shell, lines('kafka_mon-2026.11.09 7', TODAY, 'kafka_mon-2026.11.10 7', 'kafka_mon-2020.02.29     416'), { days: 14 });
        expect(ran.err).to.equal('');
        expect(ran.deleted).to.deep.equal(['/kafka_mon-2020.02.29', '/kafka_mon-2026.11.09']);
        expect(ran.out).to.equal(
          'deleted kafka_mon-2020.02.29 (416 bytes): 2460 days old, more than 14\ndeleted kafka_mon-2026.11.09 (7 bytes): 15 days old, more than 14\ndeleted 2, kept 2 with 507 bytes\n',
        );
        expect([ran.code, ran.state]).to.deep.equal([0, 'deleted 2, kept 2 with 507 bytes\n']);
      });

      it('leaves every other name alone', async () => {
        const foreign = [
          'kafka_mon-2020.01.01.bak 1',
          'kafka_mon_old-2020.01.01 1',
          'xkafka_mon-2020.01.01 1',
          'kafka_mon-2020.01.01-typed 1',
          'kafka_mon-2020.02.30 1',
          'kafka_mon-2021.02.29 1',
          'kafka_mon-2020.13.01 1',
          'kafka_mon-2020.00.01 1',
          'kafka_mon-2020.1.1 1',
          'kafka_mon-20200101 1',
          'kafka_mon-0000.01.01 1',
          'kafka_mon-2020x01x01 1',
          'kafka_mon-000001 1',
        ];
        const ran = await retention(shell, lines(...foreign, TODAY), { days: 1, bytes: 1 });
        expect(ran.deleted).to.deep.equal([]);
        expect(ran.code).to.equal(0);
        expect(ran.out).to.match(/^deleted 0, kept 1 with 500 bytes: more than 1, but today's index is never deleted\n$/);
      });

      it('deletes the oldest while all have too many bytes, never today or later ones', async () => {
        const list = lines('kafka_mon-2026.11.22 400', 'kafka_mon-2026.11.21 300', 'kafka_mon-2026.11.23 300', TODAY, 'kafka_mon-2099.01.01 100');
        expect((await retention(shell, list, { bytes: 1300 })).deleted).to.deep.equal(['/kafka_mon-2026.11.21']);
        expect((await retention(shell, list, { bytes: 1299 })).deleted).to.deep.equal(['/kafka_mon-2026.11.21', '/kafka_mon-2026.11.22']);
        expect((await retention(shell, list, { bytes: 1600 })).deleted).to.deep.equal([]);
        const all = await retention(shell, list, { bytes: 1 });
        expect(all.deleted).to.deep.equal(['/kafka_mon-2026.11.21', '/kafka_mon-2026.11.22', '/kafka_mon-2026.11.23']);
        expect(all.state).to.equal("deleted 3, kept 2 with 600 bytes: more than 1, but today's index is never deleted\n");
      });

      it('counts sizes beyond 32 bits, and closed indices, which have none', async () => {
        const ran = await retention(shell, lines('kafka_mon-2026.11.20 ', 'kafka_mon-2026.11.21 6000000000', 'kafka_mon-2026.11.22 6000000000', TODAY), {
          bytes: 6_000_000_500,
        });
        expect(ran.deleted).to.deep.equal(['/kafka_mon-2026.11.20', '/kafka_mon-2026.11.21']);
        expect(ran.state).to.equal('deleted 2, kept 2 with 6000000500 bytes\n');
      });

      it('with nothing there has succeeded', async () => {
        const ran = await retention(shell, '', { days: 14 });
        expect([ran.code, ran.err, ran.state]).to.deep.equal([0, '', 'deleted 0, kept 0 with 0 bytes\n']);
      });

      it('a dry run says and does nothing', async () => {
        const ran = await retention(shell, lines('kafka_mon-2020.01.01 5', TODAY), { days: 14, dry: true });
        expect([ran.code, ran.deleted, ran.state]).to.deep.equal([0, [], undefined]);
        expect(ran.out).to.equal(
          'would delete kafka_mon-2020.01.01 (5 bytes): 2519 days old, more than 14\ndry run: would have deleted 1, kept 1 with 500 bytes\n',
        );
      });

      it('asks the next node where one is silent', async () => {
        const ran = await retention(shell, lines('kafka_mon-2020.01.01 5'), { days: 14, before: 'http://127.0.0.1:9' });
        expect([ran.code, ran.deleted]).to.deep.equal([0, ['/kafka_mon-2020.01.01']]);
      });

      for (const [what, body, status] of [
        ['an error of Elasticsearch', '{"error":{"type":"master_not_discovered_exception"},"status":503}', 503],
        ['a list that is cut off by an error', lines('kafka_mon-2020.01.01 5', '{"error":"x"}'), 200],
        ['a page of something else', '<html>login</html>', 200],
        ['more columns than asked for', lines('green open kafka_mon-2020.01.01 5'), 200],
        ['a size that is no number', lines('kafka_mon-2020.01.01 5kb'), 200],
        ['a redirect', '', 302],
        ['a name that no index can have', lines('kafka_mon-2020.01.01/../x 5'), 200],
      ] as const) {
        it(`refuses ${what}`, async () => {
          const ran = await retention(shell, body, { days: 14 }, status);
          expect([ran.code, ran.deleted, ran.state]).to.deep.equal([1, [], undefined]);
          expect(ran.err).to.match(/nothing was deleted\n$/);
        });
      }

      it('stops at a deletion that fails, and goes on past one that somebody else did', async () => {
        const list = lines('kafka_mon-2020.01.01 5', 'kafka_mon-2020.01.02 5');
        const failed = await retention(shell, list, { days: 14 }, 200, 503);
        expect([failed.code, failed.deleted, failed.state]).to.deep.equal([1, ['/kafka_mon-2020.01.01'], undefined]);
        expect(failed.err).to.match(/answered 503 to the deletion of kafka_mon-2020\.01\.01; 0 were deleted before it\n$/);
        const gone = await retention(shell, list, { days: 14 }, 200, 404);
        expect([gone.code, gone.deleted.length]).to.deep.equal([0, 2]);
      });

      it('refuses a clock that was never set', async () => {
        const ran = await retention(shell, lines('kafka_mon-2020.01.01 5'), { days: 14, now: 1000 });
        expect([ran.code, ran.deleted]).to.deep.equal([1, []]);
      });

      it('refuses words that it does not understand', () => {
        const [command, ...rest] = shell.argv;
        for (const words of [
          [],
          ['kafka_mon', '1', '0', '/x'],
          ['kafka*', '1', '0', '/x', 'http://h'],
          ['k', 'x', '0', '/x', 'http://h'],
          ['-x', '1', '0', '/x', 'http://h'],
        ])
          expect(spawnSync(command, [...rest, SCRIPT, ...words], { encoding: 'utf8' }).status).to.equal(1);
      });
    });
  }
});
