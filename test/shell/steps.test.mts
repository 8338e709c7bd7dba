import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import fc from 'fast-check';
import { resourceId } from '../../lib/names.mts';
import type { CompiledStep, Resource, Steps } from '../../lib/plan/model.mts';
import { constant } from '../../lib/plan/questions.mts';
import { change } from '../../lib/resources/resource.mts';
import { sh } from '../../lib/shell/quote.mts';
import { compileSteps, quoteAll, runScript } from '../../lib/shell/steps.mts';
import { applyOn, inTemporary, me, runSh, shells, type Ran, type Shell } from './hostlike.mts';

const doing = (apply: (steps: Steps) => void): Resource => ({
  id: resourceId('test'),
  differs: constant([]),
  apply: (_changes, steps) => {
    apply(steps);
  },
});
const compiled = (apply: (steps: Steps) => void): readonly CompiledStep[] => compileSteps(doing(apply), []);
const run = (shell: Shell, apply: (steps: Steps) => void): Ran => applyOn(shell, doing(apply), [change('a', 'b', 'c')]);
const meta = { mode: 0o600, ...me };

describe('compiled steps', () => {
  it('what a host does in a row is one script', () => {
    const steps = compiled((step) => {
      step.sh`true`;
      step.put('/a', 'x', meta);
      step.put('/b', 'y', meta);
      step.upload('/local', '/remote');
      step.sh`true`;
      step.controller(['true']);
    });
    expect(steps.map(({ at }) => at)).to.deep.equal(['host', 'upload', 'host', 'controller']);
    expect(steps[0]).to.deep.include({ payloads: ['x', 'y'], deadlineMs: 120_000, interruptible: true });
  });

  it('bounds hold for what is written in their body', () => {
    const steps = compiled((step) => {
      step.sh`1`;
      step.within(5, (bounded) => {
        bounded.sh`2`;
        bounded.uninterruptible((whole) => {
          whole.sh`3`;
          whole.upload('/a', '/b');
        });
        bounded.sh`4`;
      });
      step.sh`5`;
    });
    expect(steps.map((step) => [step.at, step.deadlineMs, step.at === 'host' ? step.interruptible : undefined])).to.deep.equal([
      ['host', 120_000, true],
      ['host', 5000, true],
      ['host', 5000, false],
      ['upload', 5000, undefined],
      ['host', 5000, true],
      ['host', 120_000, true],
    ]);
  });

  it('nothing done is no step', () => {
    expect(compiled(() => undefined)).to.deep.equal([]);
  });

  it('passes shellcheck', () => {
    const [step] = compiled((steps) => {
      steps.put("/it's", 'x', meta);
      steps.put('/b', 'y', 'keep');
    });
    const ran = spawnSync('shellcheck', ['--shell=sh', '--severity=warning', '-'], { input: step?.at === 'host' ? step.script : '', encoding: 'utf8' });
    expect(ran.error).to.equal(undefined);
    expect(ran.stdout).to.equal('');
  });

  for (const shell of shells) {
    describe(`under ${shell.name}`, function () {
      this.timeout(30_000);

      it('every argument stays one word', () => {
        const word = fc.oneof(
          fc.string({ unit: 'binary', maxLength: 30 }),
          fc.string({ unit: fc.constantFrom("'", '"', '\\', '\n', '$', '`', '!', ' ', '-', '*', '~', '#'), maxLength: 10 }),
        );
        fc.assert(
          fc.property(
            fc.array(
              word.map((each) => each.toWellFormed().replaceAll('\0', '')),
              { maxLength: 5 },
            ),
            (words) => {
              const ran = runSh(shell, sh`printf '%s\\0' ${'first'} ` + quoteAll(words));
              expect(ran.stdout.toString().split('\0').slice(1, -1)).to.deep.equal(words);
            },
          ),
          { numRuns: 60 },
        );
        expect(() => sh`${'a\0b'}`).to.throw(TypeError);
      });

      it('a fragment keeps its variables and its exit to itself, a failing one ends the step', () => {
        const ran = run(shell, (step) => {
          step.sh`kept=1; cd /; exit 0`;
          step.sh`echo "\${kept-none}"`;
          step.sh`false; echo never`;
          step.sh`echo never`;
        });
        expect(ran).to.deep.include({ code: 1, stderr: '' });
        expect(ran.stdout.toString()).to.equal('none\n');
      });

      it('an unset variable is an error, and say explains', () => {
        expect(
          run(shell, (step) => {
            step.sh`echo "$nope"`;
          }).code,
        ).to.not.equal(0);
        const ran = run(shell, (step) => {
          runScript(step, sh`say "it is" ${"it's"}; exit 3`);
        });
        expect(ran).to.deep.include({ code: 3, stderr: "it is it's\n" });
      });

      it('a put that fails leaves the old file and nothing beside it', () => {
        inTemporary((directory) => {
          const path = `${directory}/x`;
          writeFileSync(path, 'old');
          const [step] = compiled((steps) => {
            steps.put(path, 'new', meta);
          });
          const script = step?.at === 'host' ? step.script : '';
          const ran = runSh(shell, `payload() { echo half; return 1; }\n(\n${script})\n`);
          expect(ran.code).to.equal(1);
          expect(readFileSync(path, 'utf8')).to.equal('old');
          expect(readdirSync(directory)).to.deep.equal(['x']);
        });
      });

      it('a put ended by a signal leaves nothing either', () => {
        inTemporary((directory) => {
          const [step] = compiled((steps) => {
            steps.put(`${directory}/x`, 'new', meta);
          });
          const script = step?.at === 'host' ? step.script : '';
          const ran = runSh(shell, `payload() { echo half; kill -TERM "$(sh -c 'echo $PPID')"; sleep 0.2; }\n(\n${script})\n`);
          expect(ran.code).to.equal(143);
          expect(readdirSync(directory)).to.deep.equal([]);
        });
      });

      it('a put goes into no directory and over no device', () => {
        inTemporary((directory) => {
          const ran = run(shell, (step) => {
            step.put(directory, 'x', meta);
          });
          expect(ran).to.deep.include({ code: 1, stderr: `${directory} is no regular file: not replaced\n` });
          expect(existsSync(`${directory}/x`)).to.equal(false);
        });
      });
    });
  }
});
