/** What is changed, and the tests that are to notice: `--names [NAME…]` lists modules, `NAME` writes the configuration of Stryker and mocha for one. */
import { writeFileSync } from 'node:fs';

interface Module {
  readonly file: string;
  readonly tests: readonly string[];
}

const MODULES: Readonly<Record<string, Module>> = {
  quote: { file: 'lib/shell/quote.mts', tests: ['test/shell/steps.test.mts', 'test/shell/digest.test.mts', 'test/shell/probe.test.mts'] },
  frame: { file: 'lib/shell/frame.mts', tests: ['test/shell/frame.test.mts'] },
  'frame-reader': { file: 'lib/shell/frame-reader.mts', tests: ['test/shell/frame-reader.test.mts'] },
  verdict: { file: 'lib/plan/verdict.mts', tests: ['test/plan/verdict.test.mts'] },
  'known-hosts': { file: 'lib/transport/known-hosts.mts', tests: ['test/transport/known-hosts.test.mts'] },
};

const [first = '', ...rest] = process.argv.slice(2);
if (first === '--names') {
  const unknown = rest.filter((name) => MODULES[name] === undefined);
  if (unknown.length > 0) {
    process.stderr.write(`no module ${unknown.join(', ')}; modules: ${Object.keys(MODULES).join(' ')}\n`);
    process.exit(4);
  }
  process.stdout.write(`${(rest.length > 0 ? rest : Object.keys(MODULES)).join('\n')}\n`);
} else {
  const module = MODULES[first];
  if (module === undefined) throw new Error(`no module ${first}`);
  const configuration = {
    testRunner: 'mocha',
    plugins: ['@stryker-mutator/mocha-runner'],
    mutate: [module.file],
    mochaOptions: { config: 'mocha.json' },
    coverageAnalysis: 'perTest',
    concurrency: 1,
    dryRunTimeoutMinutes: 20,
    timeoutMS: 20_000,
    reporters: ['clear-text', 'json'],
    jsonReporter: { fileName: 'report.json' },
    clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  };
  writeFileSync('stryker.json', JSON.stringify(configuration));
  writeFileSync('mocha.json', JSON.stringify({ spec: module.tests, extension: ['mts'], require: ['./test/support/seed.mts'], timeout: 60_000 }));
}
