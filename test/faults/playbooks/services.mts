/** A playbook whose hosts run a process in place of Elasticsearch, rolled out as Elasticsearch is; Kibana is only verified. */
import { execFileSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { z } from 'zod';
import { play } from '../../../lib/play.mts';

await play(async () => {
  const { contract, daemon, defineRole, file } = await import('../../../lib/index.mts');
  const [{ default: elasticsearch }, { default: kibana }, { allocation, rollout, runningPeer }] = await Promise.all([
    import('../../../roles/elasticsearch/role.mts'),
    import('../../../roles/kibana/role.mts'),
    import('../../../roles/elasticsearch/rollout.mts'),
  ]);
  const [owner, group] = [userInfo().username, execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim()];
  const service = contract(
    'service',
    z.strictObject({
      /** A script that is the service; what it prints goes to a log. */
      script: z.string().exactOptional(),
      gate_seconds: z.int().default(8),
    }),
  );
  const settings = defineRole({ contract: service, summary: 'settings of the tests', runs: 'host', per: 'host', resources: () => [] });
  const member: typeof elasticsearch = {
    ...elasticsearch,
    resources: (context) => {
      const { host, inventory, peers } = context;
      const { script } = host.vars(service);
      if (script === undefined) return [];
      const config = { path: '/run/member.conf', content: `${script}\n` };
      const started = daemon('member', {
        user: owner,
        start: ['/bin/sh', config.path],
        pidFile: '/run/member.pid',
        inputs: [config],
        logFile: '/run/member.log',
        stopSeconds: 5,
      });
      const other = runningPeer(host, inventory, peers);
      return [file(config.path, { content: config.content, owner, group }), started, ...(other === undefined ? [] : [allocation(other, null, [started.id])])];
    },
    refuses: () => [],
    ready: () => [],
    verify: (context) => (context.host.vars(service).script === undefined ? (elasticsearch.verify?.(context) ?? []) : []),
    rollout: {
      ...rollout,
      // As patient as the test.
      gate: (context) =>
        rollout.gate(context).map((check) => ({ ...check, retry: { ...check.retry, deadlineMs: context.host.vars(service).gate_seconds * 1000 } })),
    },
  };
  const pages: typeof kibana = { ...kibana, resources: () => [], refuses: () => [] };
  return {
    name: 'services',
    summary: 'Runs what stands for services.',
    stages: [
      { hosts: 'es_masters', roles: [settings, member] },
      { hosts: 'monitoring', roles: [pages] },
    ],
    catalogue: [settings, member, pages],
  };
});
