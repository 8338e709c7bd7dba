/**
 * A playbook of a few shapes of roles, for runs that are killed: files, an archive that is uploaded, a process that is restarted, and members
 * that are restarted one after the other. With CRASH_AFTER=N this program kills itself when it hears that its Nth step has ended, with
 * CRASH_IN=N when it hears that its Nth step has begun.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { z } from 'zod';
import { play } from '../../lib/play.mts';

const { FramedSession } = await import('../../lib/transport/framed-session.mts');
const apply = Object.getOwnPropertyDescriptor(FramedSession.prototype, 'apply')?.value as typeof FramedSession.prototype.apply;
const heard = { begun: 0, ended: 0 };
FramedSession.prototype.apply = function (steps, reask, limits) {
  return apply.call(this, steps, reask, {
    ...limits,
    onStep: (step) => {
      const [count, fatal] = step.ok === undefined ? [(heard.begun += 1), 'CRASH_IN'] : [(heard.ended += 1), 'CRASH_AFTER'];
      if (String(count) === process.env[fatal]) process.kill(process.pid, 'SIGKILL');
      limits.onStep?.(step);
    },
  });
};

await play(async () => {
  const { archive, block, contract, daemon, defineRole, directory, file, pass, text, wrong } = await import('../../lib/index.mts');
  const owner = userInfo().username;
  const meta = { owner, group: execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim() };
  const variables = { base: z.string(), version: z.string() };

  const tree = defineRole({
    contract: contract('tree', z.strictObject({ ...variables, archive: z.string() })),
    summary: 'files and an archive',
    runs: 'host',
    per: 'host',
    resources: ({ vars: { base, version, archive: localPath } }) => [
      directory(`${base}/etc`, meta),
      file(`${base}/etc/settings`, { content: `version ${version}\n`, ...meta }),
      block(`${base}/etc/hosts`, { marker: 'tree', content: `v ${version}` }),
      archive({
        name: 'product',
        version,
        into: `${base}/opt`,
        owner,
        source: { from: 'controller', localPath, sha256: createHash('sha256').update(readFileSync(localPath)).digest('hex') },
      }),
    ],
  });

  const worker = (base: string, version: string) => {
    const input = { path: `${base}/worker.conf`, content: `version ${version}\n` };
    return [
      file(input.path, { content: input.content, ...meta }),
      daemon('worker', {
        user: owner,
        start: ['sh', '-c', `cat '${input.path}' >>'${base}/starts'; exec sleep 3000`],
        pidFile: `${base}/worker.pid`,
        inputs: [input],
      }),
    ];
  };

  const service = defineRole({
    contract: contract('service', z.strictObject(variables)),
    summary: 'a process that is restarted',
    runs: 'host',
    per: 'host',
    resources: ({ vars: { base, version } }) => worker(base, version),
  });

  const allocation = (base: string, which: string) => file(`${base}/allocation`, { content: `${which}\n`, ...meta });
  const member = defineRole({
    contract: contract('member', z.strictObject(variables)),
    summary: 'members that are restarted one after the other',
    runs: 'host',
    per: 'host',
    peers: { group: 'members', ask: (host) => text(`${host.vars(contract('member', z.strictObject(variables))).base}/starts`) },
    resources: ({ vars: { base, version } }) => [...worker(base, version), { ...allocation(base, 'all'), needs: worker(base, version).map(({ id }) => id) }],
    rollout: {
      serial: 1,
      during: ({ vars: { base } }) => [allocation(base, 'primaries')],
      gate: ({ vars: { base } }) => [
        {
          id: 'runs',
          ask: text(`${base}/worker.pid`),
          judge: (found: string | undefined) => (found === undefined ? wrong('a process', 'none', 'start it') : pass(found)),
          retry: { everyMs: 100, deadlineMs: 1000 },
        },
      ],
    },
  });

  return {
    name: 'shapes',
    summary: 'Shapes of roles.',
    stages: [
      { hosts: 'singles', roles: [tree, service] },
      { hosts: 'members', roles: [member] },
    ],
    catalogue: [tree, service, member],
  };
});
