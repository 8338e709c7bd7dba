const only = (name, from, allowed, comment) => ({
  name,
  severity: 'error',
  comment,
  from: { path: from },
  to: { path: '^(lib|roles|playbooks)/', pathNot: allowed },
});

/** Who may import whom: docs/architecture.md. */
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, pathNot: ['^playbooks/', '\\.d\\.mts$'] }, to: {} },
    only(
      'playbooks',
      '^playbooks/',
      '^(lib/index\\.mts|lib/play\\.mts|roles/index\\.mts|roles/[^/]+/cli\\.mts|playbooks/stages\\.mts)',
      'a playbook is a list of roles',
    ),
    only(
      'roles-use-the-door',
      '^roles/([^/]+)/',
      '^(lib/index\\.mts|roles/$1/|roles/[^/]+/contract\\.mts|roles/[^/]+\\.mts)',
      'roles see lib/index.mts and contracts',
    ),
    only('inventory', '^lib/inventory/', '^lib/(inventory/|names|errors|secret)', 'the inventory knows nothing of hosts at run time'),
    only('plan', '^lib/plan/', '^lib/(plan/|inventory/(model|address)|names|errors|secret|shell/quote)', 'the vocabulary is pure'),
    only('shell', '^lib/shell/', '^lib/(shell/|plan/|names|errors|secret)', 'text in, text out'),
    only('resources', '^lib/resources/', '^lib/(resources/|plan/|shell/|names|errors|secret)', 'resources are pure'),
    only('transport', '^lib/transport/', '^lib/(transport/|shell/|plan/model|inventory/model|names|errors|secret)', 'nothing above the wire'),
    only(
      'run',
      '^lib/run/',
      '^lib/(run/|plan/|report/|transport/session|shell/steps|inventory/model|names|errors|secret)',
      'the engine sees sessions, not how they are made',
    ),
    only('report', '^lib/report/', '^lib/(report/|plan/model|inventory/model|names|errors|secret)', 'reports are made of events'),
    { name: 'only-ssh-imports-ssh2-promise', severity: 'error', from: { pathNot: '^lib/transport/ssh\\.mts$' }, to: { path: 'node_modules/ssh2-promise' } },
    {
      name: 'only-inventory-imports-yaml',
      severity: 'error',
      from: { path: '^(lib|roles|playbooks)/', pathNot: '^lib/inventory/' },
      to: { path: 'node_modules/js-yaml' },
    },
    {
      name: 'no-dev-dependencies',
      severity: 'error',
      from: { path: '^(lib|roles|playbooks)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.mts', '.mjs', '.js', '.d.ts'] },
  },
};
