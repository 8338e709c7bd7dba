/** Hosts behind Identity-Aware Proxy: the real gcloud opens the tunnel, a relay of ours carries it, a real sshd is at its end. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { openTransport } from '../../lib/transport/index.mts';
import { Program, said, SITE } from '../cli/program.mts';
import { startSshd, type Sshd } from '../transport/sshd.mts';
import { eventually, failureOf, limits, makeHost, mark, me, never, opening, processesWith, sshTo, withDirectory } from '../transport/support.mts';
import { startDouble, type Double } from './support.mts';

const CLIENT = fileURLToPath(new URL('../transport/client.mts', import.meta.url));
const PROJECT = 'demo-project';
const ZONE = 'asia-northeast3-a';
const INSTANCE = `projects/${PROJECT}/zones/${ZONE}/instances/es-01`;

describe('a tunnel through Identity-Aware Proxy', function () {
  this.timeout(60_000);
  let sshd: Sshd;
  let double: Double;
  let program: Program;
  let inventory: string;
  let environment: Readonly<Record<string, string>>;
  const word = mark();

  before(async () => {
    sshd = await startSshd();
    double = await startDouble({ onInstance: () => ({ address: sshd.address, hostKeys: [sshd.hostKey] }) });
    program = new Program();
    environment = { ...double.environment, PATH: `${double.bin}:${process.env['PATH'] ?? ''}` };
    inventory = program.write(
      'gcp.yaml',
      `all:
  vars:
    host_provider: gcp
    gcp_project: ${PROJECT}
    gcp_zone: ${ZONE}
    gcp_nat: false
    gcp_access: iap
    ansible_user: ops
    ansible_port: ${String(sshd.port)}
    ansible_ssh_private_key_file: ${sshd.keyFile}
  children:
    es_masters:
      hosts:
        es-01: {private_address: 10.178.0.11}
`,
    );
    const made = await program.run(SITE, ['-i', inventory, '--role', 'gcp-instances'], { env: environment });
    expect(made.code, said(made)).to.equal(0);
  });
  after(async () => {
    program[Symbol.dispose]();
    await double.close();
    await sshd[Symbol.asyncDispose]();
  });

  const open = (name: string): Promise<unknown> =>
    double.perform('POST', `projects/${PROJECT}/global/firewalls`, {
      name,
      network: `projects/${PROJECT}/global/networks/default`,
      direction: 'INGRESS',
      sourceRanges: ['35.235.240.0/20'],
      allowed: [{ IPProtocol: 'tcp', ports: [String(sshd.port)] }],
    });

  /** The command that the roles give, with the environment in which it finds the double. */
  const tunnel = (instance = 'es-01'): readonly [string, ...string[]] => [
    'env',
    ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    ...['gcloud', 'compute', 'start-iap-tunnel', instance, String(sshd.port), '--listen-on-stdin', `--zone=${ZONE}`],
    ...[`--project=${PROJECT}`, '--format=json', '--quiet', `--trace-token=${word}`],
  ];

  it('that no firewall rule lets through is told so, by what gcloud says', async () => {
    await using transport = openTransport();
    const signal = AbortSignal.any([never, AbortSignal.timeout(6_000)]);
    const error = await failureOf(transport.read(makeHost(sshTo(sshd, { proxyCommand: tunnel() })), { ...opening, signal }), 'unreachable');
    expect(error.short).to.equal('IAP cannot reach it');
    expect(error.message).to.match(/spoke: Error while connecting \[4003: .*\]\. \(Failed to connect to port \d+\)$/);
    expect(error.hint).to.include('35.235.240.0/20');
    expect(processesWith(word)).to.deep.equal([]);
  });

  it('leads a run to its host, whose key Google vouches for', async () => {
    await open('iap');
    const checked = await program.run(SITE, ['-i', inventory, '--role', 'os-limits', '--user', me, '--check', '--json'], { env: environment });
    expect(checked.code, said(checked)).to.be.oneOf([0, 2]);
    const { hosts } = JSON.parse(checked.stdout) as { hosts: { 'es-01': { roundTrips: number } } };
    expect(hosts['es-01'].roundTrips).to.equal(2);
    const { id } = (await double.perform('GET', INSTANCE)) as { readonly id: string };
    expect(readFileSync(program.path('.ssh/google_compute_known_hosts'), 'utf8')).to.equal(`compute.${id} ${sshd.hostKey}\n`);
    expect(existsSync(program.path('.ssh/known_hosts'))).to.equal(false);
  });

  it('carries megabytes, also over a connection that breaks in between, and is gone afterwards', async () => {
    {
      await using transport = openTransport();
      await using session = await transport.read(makeHost(sshTo(sshd, { proxyCommand: tunnel() })), opening);
      const asked = session.ask([{ at: 'host', kind: 'shell', key: 'sleep 1; head -c 2000000 /dev/zero | tr "\\0" x' }], limits());
      await double.cutTunnels();
      const frame = await asked;
      const [answer] = frame.kind === 'complete' ? [...frame.answers.values()] : [];
      expect(answer?.kind === 'value' && answer.bytes.length).to.equal(2_000_002);
      expect(processesWith(word).length).to.be.above(0);
    }
    expect(processesWith(word)).to.deep.equal([]);
  });

  it('ends with this program, even when that is killed', () =>
    withDirectory(async (directory) => {
      const connection = sshTo(sshd, { proxyCommand: tunnel() });
      const client = spawn(process.execPath, [CLIENT, JSON.stringify(connection), join(directory, 'lock'), 'sleep 60'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await new Promise((resolve) => client.stdout.once('data', resolve));
      const running = (): boolean => processesWith(word).some((pid) => pid !== client.pid);
      expect(running()).to.equal(true);
      client.kill('SIGKILL');
      await eventually('gcloud is gone', () => !running(), 15_000);
    }));
});
