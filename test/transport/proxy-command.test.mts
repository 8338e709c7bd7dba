/** Hosts that are reached through a command's stdin and stdout: what it says when it fails, and that nothing of it is left. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { ErrorKind, RunError } from '../../lib/errors.mts';
import { openTransport } from '../../lib/transport/index.mts';
import { startSshd, type Sshd } from './sshd.mts';
import { eventually, failureOf, makeHost, mark, never, opening, processesWith, relay, sshTo, text, withDirectory } from './support.mts';

const CLIENT = fileURLToPath(new URL('client.mts', import.meta.url));
/** What gcloud (SDK 528) prints around the one line that counts. */
const gcloudSays = (line: string): string => `WARNING: 

To increase the performance of the tunnel, consider installing NumPy. For instructions,
please see https://cloud.google.com/iap/docs/using-tcp-forwarding#increasing_the_tcp_upload_bandwidth

ERROR: [0] Error during local connection to [stdin]: ${line}
Traceback (most recent call last):
  File "/usr/lib/google-cloud-sdk/lib/googlecloudsdk/command_lib/compute/iap_tunnel.py", line 775, in RunReceiveLocalData
    websocket_conn = self._InitiateConnection(
googlecloudsdk.api_lib.compute.iap_tunnel_websocket.ConnectionCreationError: ${line}
`;

describe('a proxy command', () => {
  let sshd: Sshd;
  before(async () => {
    sshd = await startSshd();
  });
  after(() => sshd[Symbol.asyncDispose]());

  /** The failure of a command that prints `stderr` and ends, and how often it was started. */
  async function failing(stderr: string, kind: ErrorKind, { deadlineMs = 1_500, stdout = '' } = {}): Promise<{ error: RunError; starts: number }> {
    return withDirectory(async (directory) => {
      const [said, starts] = [join(directory, 'said'), join(directory, 'starts')];
      writeFileSync(said, stderr);
      await using transport = openTransport();
      const proxyCommand = ['sh', '-c', 'echo >>"$1"; cat "$0" >&2; printf %s "$2"', said, starts, stdout] as const;
      // What a new host may still answer is not waited for here; the deadline cuts the patience for what passes.
      const within = AbortSignal.any([never, AbortSignal.timeout(deadlineMs)]);
      const error = await failureOf(transport.read(makeHost(sshTo(sshd, { proxyCommand })), { ...opening, signal: within }), kind);
      return { error, starts: readFileSync(starts, 'utf8').length };
    });
  }

  it('that is missing is named, with what to do', async () => {
    await using transport = openTransport();
    const error = await failureOf(transport.read(makeHost(sshTo(sshd, { proxyCommand: ['gcluod', 'compute'] })), opening), 'usage');
    expect(error.message).to.equal('host-01 is reached through gcluod, which is not installed on this machine or not on its PATH');
    expect(error.hint).to.include('install gcluod');
  });

  const endings: readonly { name: string; says: string; kind: ErrorKind; short: string; shows: string; hint: RegExp; starts?: number }[] = [
    {
      name: 'IAP cannot connect to sshd',
      says: gcloudSays("Error while connecting [4003: 'failed to connect to backend']. (Failed to connect to port 22)"),
      kind: 'unreachable',
      short: 'IAP cannot reach it',
      shows: "spoke: Error while connecting [4003: 'failed to connect to backend']. (Failed to connect to port 22)",
      hint: /35\.235\.240\.0\/20/,
    },
    {
      name: 'IAP does not let the account in',
      says: gcloudSays("Error while connecting [4033: 'not authorized']."),
      kind: 'auth',
      short: 'IAP does not let this account in',
      shows: "[4033: 'not authorized']",
      hint: /roles\/iap\.tunnelResourceAccessor/,
      starts: 1,
    },
    {
      name: 'IAP refuses the token',
      says: gcloudSays('Error while connecting [Handshake status 403 Forbidden]. (May be due to missing permissions)'),
      kind: 'auth',
      short: 'IAP does not let this account in',
      shows: '[Handshake status 403 Forbidden]',
      hint: /gcloud auth list/,
      starts: 1,
    },
    {
      name: 'sshd behind IAP hangs up',
      says: gcloudSays("Error while connecting [4010: 'destination read failed']."),
      kind: 'unreachable',
      short: 'dropped by sshd',
      shows: '4010',
      hint: /MaxStartups/,
    },
    {
      name: 'nobody is logged in',
      says: 'ERROR: (gcloud.compute.start-iap-tunnel) You do not currently have an active account selected.\nPlease run:\n\n  $ gcloud auth login\n',
      kind: 'usage',
      short: 'gcloud is not logged in',
      shows: 'You do not currently have an active account selected.',
      hint: /gcloud auth login/,
      starts: 1,
    },
    {
      name: 'another reason',
      says: 'one\n\ntwo\nthree\nfour\n',
      kind: 'unreachable',
      short: 'proxy command ended',
      shows: ': two; three; four',
      hint: /by hand/,
      starts: 3,
    },
    { name: 'no word', says: '', kind: 'unreachable', short: 'proxy command ended', shows: 'it said nothing', hint: /by hand/, starts: 3 },
  ];
  for (const { name, says, kind, short, shows, hint, starts } of endings)
    it(`that ends early (${name}) is explained, and ${starts === 1 ? 'started once' : 'tried again'}`, async () => {
      const { error, starts: started } = await failing(says, kind, { deadlineMs: starts === undefined ? 4_500 : 15_000 });
      expect(error.short).to.equal(short);
      expect(error.message).to.include(shows);
      expect(error.message).to.include('host-01: sh ended before a sshd spoke').and.not.include('Traceback').and.not.include('NumPy');
      expect(error.hint).to.match(hint);
      if (starts === undefined) expect(started).to.be.above(1);
      else expect(started).to.equal(starts);
    });

  it('whose output is not ssh is no answer: gcloud ends with an empty list', async () => {
    const { error } = await failing(gcloudSays("Error while connecting [4033: 'not authorized']."), 'auth', { stdout: '[]\n' });
    expect(error.short).to.equal('IAP does not let this account in');
  });

  it('carries what is larger than any buffer', async () => {
    await using transport = openTransport();
    await using session = await transport.read(makeHost(sshTo(sshd, { proxyCommand: relay(sshd) })), {
      ...opening,
      asks: [{ at: 'host', kind: 'shell', key: 'head -c 3000000 /dev/zero | tr "\\0" x' }],
    });
    const [answer] = [...session.first.values()];
    expect(answer?.kind === 'value' && answer.bytes.length).to.equal(3_000_002);
  });

  it('has ended when the transport is closed', async () => {
    const word = mark();
    {
      await using transport = openTransport();
      await using session = await transport.read(makeHost(sshTo(sshd, { proxyCommand: relay(sshd, word) })), opening);
      expect(session.facts.uid).to.be.a('number');
      expect(processesWith(word)).to.have.length(1);
    }
    expect(processesWith(word)).to.deep.equal([]);
  });

  it('that does not end by itself is ended', async () => {
    const word = mark();
    const stubborn = ['sh', '-c', `trap '' HUP TERM; ${relay(sshd).join(' ')}; sleep 60; : ${word}`] as const;
    {
      await using transport = openTransport();
      await using _session = await transport.read(makeHost(sshTo(sshd, { proxyCommand: stubborn })), opening);
    }
    expect(processesWith(word)).to.deep.equal([]);
  });

  it('is ended when opening is aborted, whatever it waits for', async () => {
    for (const script of ['sleep 60', 'echo SSH-2.0-silent; sleep 60', 'trap "" TERM; while :; do sleep 1; done']) {
      const word = mark();
      const abort = new AbortController();
      await using transport = openTransport();
      const opened = transport.read(makeHost(sshTo(sshd, { proxyCommand: ['sh', '-c', `${script}; : ${word}`] })), { ...opening, signal: abort.signal });
      opened.catch(() => undefined);
      await eventually('it runs', () => processesWith(word).length > 0);
      abort.abort();
      await failureOf(opened, 'interrupted');
      await eventually('it is gone', () => processesWith(word).length === 0, 4_000);
    }
  }).timeout(30_000);

  it('ends with this program, even when that is killed', () =>
    withDirectory(async (directory) => {
      const word = mark();
      const connection = sshTo(sshd, { proxyCommand: relay(sshd, word) });
      const client = spawn(process.execPath, [CLIENT, JSON.stringify(connection), join(directory, 'lock'), 'sleep 60'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await new Promise((resolve) => client.stdout.once('data', resolve));
      const running = (): boolean => processesWith(word).some((pid) => pid !== client.pid);
      expect(running()).to.equal(true);
      client.kill('SIGKILL');
      await eventually('it is gone', () => !running());
    }));

  it('starts four times at once at most', () =>
    withDirectory(async (directory) => {
      await using transport = openTransport();
      const now = join(directory, 'now');
      const script = `echo start >>"$0"; sleep 0.3; echo end >>"$0"; exec ${relay(sshd).join(' ')}`;
      const host = makeHost(sshTo(sshd, { proxyCommand: ['sh', '-c', script, now] }));
      await Promise.all(
        Array.from({ length: 10 }, async () => {
          await using _session = await transport.read(host, opening);
        }),
      );
      let [running, most] = [0, 0];
      for (const line of readFileSync(now, 'utf8').trim().split('\n')) most = Math.max(most, (running += line === 'start' ? 1 : -1));
      expect(most).to.equal(4);
    }));

  it('leads to a jump host as well', () =>
    withDirectory(async (directory) => {
      await using behind = await startSshd();
      const knownHosts = join(directory, 'known_hosts');
      writeFileSync(knownHosts, readFileSync(sshd.knownHosts, 'utf8') + readFileSync(behind.knownHosts, 'utf8'));
      const word = mark();
      const bastion = { ...sshTo({ ...sshd, knownHosts }), address: '192.0.2.1', hostKeyAlias: 'compute.1', proxyCommand: relay(sshd, word) };
      writeFileSync(knownHosts, `compute.1 ${sshd.hostKey}\n${readFileSync(behind.knownHosts, 'utf8')}`);
      {
        await using transport = openTransport();
        const host = makeHost(sshTo({ ...behind, knownHosts }, { jump: 'bastion', bastion }));
        const sessions = await Promise.all([1, 2, 3].map(() => transport.read(host, { ...opening, asks: [text('/etc/hostname')] })));
        expect(processesWith(word)).to.have.length(1);
        for (const session of sessions) await session[Symbol.asyncDispose]();
      }
      expect(processesWith(word)).to.deep.equal([]);
    }));

  it('that dies in the middle is a lost connection', async () => {
    const word = mark();
    await using transport = openTransport();
    await using session = await transport.read(makeHost(sshTo(sshd, { proxyCommand: relay(sshd, word) })), opening);
    const asked = session.ask([{ at: 'host', kind: 'shell', key: 'sleep 20' }], { deadlineMs: 20_000, maxBytes: 1000, signal: never });
    await sleep(200);
    for (const pid of processesWith(word)) process.kill(pid, 'SIGKILL');
    expect((await asked).kind).to.equal('lost');
  });
});
