/** Elasticsearch as site.mts brings it up, waited for less than half a minute between two restarts and at the end. */
import type { Check } from '../../../lib/index.mts';
import { play } from '../../../lib/play.mts';

await play(async () => {
  const [{ lab }, { catalogue, elasticsearch, java, osLimits }, { rollout }] = await Promise.all([
    import('../../../playbooks/stages.mts'),
    import('../../../roles/index.mts'),
    import('../../../roles/elasticsearch/rollout.mts'),
  ]);
  const soon = (checks: readonly Check[]): readonly Check[] =>
    checks.map((check) => ({ ...check, retry: { ...check.retry, deadlineMs: Math.min(check.retry.deadlineMs, 25_000) } }));
  const impatient: typeof elasticsearch = {
    ...elasticsearch,
    rollout: { ...rollout, gate: (context) => soon(rollout.gate(context)) },
    verify: (context) => soon(elasticsearch.verify?.(context) ?? []),
  };
  return {
    name: 'impatient',
    summary: 'Brings up Elasticsearch, and waits for it not long.',
    stages: [...lab, { hosts: 'es_masters', roles: [osLimits, java, impatient] }],
    catalogue: catalogue.map((role) => (role === elasticsearch ? impatient : role)),
  };
});
