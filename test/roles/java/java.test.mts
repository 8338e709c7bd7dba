import { expect } from 'chai';
import { java, javaHome, javaPackage } from '../../../roles/java/contract.mts';
import role from '../../../roles/java/role.mts';
import { context, inventory } from '../support.mts';

const one = (vars: string) => inventory(`all:\n  hosts:\n    a: ${vars}\n`);

describe('the java role', () => {
  const table = [
    [{ os: 'debian', arch: 'x86_64' }, 'openjdk-17-jre-headless', '/usr/lib/jvm/java-17-openjdk-amd64'],
    [{ os: 'ubuntu', arch: 'aarch64' }, 'openjdk-17-jre-headless', '/usr/lib/jvm/java-17-openjdk-arm64'],
    [{ os: 'rocky', arch: 'x86_64' }, 'java-17-openjdk-headless', '/usr/lib/jvm/jre-17-openjdk'],
    [{ os: 'almalinux', arch: 'x86_64' }, 'java-17-openjdk-headless', '/usr/lib/jvm/jre-17-openjdk'],
  ] as const;
  for (const [facts, name, home] of table) {
    it(`installs ${name} on ${facts.os} ${facts.arch}`, () => {
      expect([javaPackage({ version: '17' }, facts), javaHome({ version: '17' }, facts)]).to.deep.equal([name, home]);
      expect(role.resources(context(java, one('{}'), 'a', facts)).map(({ id }) => id)).to.deep.equal([`packages ${name}`]);
    });
  }

  it('installs nothing where a Java is given', () => {
    const given = context(java, one('{java_home: /opt/jdk}'), 'a');
    expect(role.resources(given)).to.deep.equal([]);
    expect(javaHome(given.vars, given.facts)).to.equal('/opt/jdk');
  });

  it('looks whether that Java is there, and of its version', () => {
    const [check] = role.verify?.(context(java, one('{}'), 'a')) ?? [];
    const judge = (code: number, output: string) => check?.judge({ code, output }, undefined);
    expect(judge(0, '"17.0.19"\n')).to.include({ kind: 'pass' });
    expect(judge(0, '"11.0.20"\n')).to.include({ kind: 'fail', found: '11.0.20' });
    expect(judge(1, '')).to.include({ kind: 'fail', found: 'nothing there' });
    const [given] = role.verify?.(context(java, one('{java_home: /opt/jdk}'), 'a')) ?? [];
    expect(given?.judge({ code: 0, output: '"21.0.1"\n' }, undefined)).to.include({ kind: 'pass' });
  });
});
