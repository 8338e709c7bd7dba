import { expect } from 'chai';
import { redact, Secret } from '../lib/secret.mts';

describe('redaction', () => {
  it('leaves nothing of a secret that begins with another one', () => {
    new Secret('qwJx7h', 'env:SHORT');
    new Secret('qwJx7hQmPz0d', 'env:LONG');
    expect(redact('a qwJx7hQmPz0d b qwJx7h')).to.equal('a [secret] b [secret]');
  });

  it('knows the lines of a secret of several lines, as a diff or a log shows them', () => {
    new Secret('-----BEGIN THING-----\nMIIEvQIBADANBgkq\r\nhkiG9w0BAQEF\n', 'file:key');
    expect(redact('+ MIIEvQIBADANBgkq\n+ hkiG9w0BAQEF')).to.equal('+ [secret]\n+ [secret]');
  });
});

describe('a secret in JSON', () => {
  it('is its literal, and still a secret', () => {
    const secret = new Secret('a"b\\c d', 'env:X').inJson();
    expect(JSON.parse(Secret.reveal(secret))).to.equal('a"b\\c d');
    expect(String(secret)).to.equal('[secret env:X]');
    expect(redact('"password":"a\\"b\\\\c d"')).to.equal('"password":[secret]');
  });
});
